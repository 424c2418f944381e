"""A file as numbered lines, whatever it is packed in, in constant memory."""

from __future__ import annotations

import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeAlias

from ftbridge.dataset.reading.compressed import unpacked
from ftbridge.errors import InputError
from ftbridge.wording import printable

LONGEST = 32 * 2**20
BREAKS = (OSError, EOFError, zlib.error)
"""What is raised where a file cannot be read on."""

_BUFFER = 2**18
_BOM = b"\xef\xbb\xbf"

Line: TypeAlias = bytes | None  # None is a line that was too long to be held


@contextmanager
def opened(path: str | Path) -> Iterator[BinaryIO]:
    """The bytes of `path`, unpacked where they are gzip's or zstd's; `-` is standard input, as it is.

    Raises `InputError` for what cannot be opened, `MissingExtra` for zstd without zstandard.
    """
    shown = printable(str(path), 200)
    if str(path) == "-":
        yield sys.stdin.buffer
        return
    try:
        file = io.BufferedReader(io.FileIO(path), _BUFFER)
    except FileNotFoundError:
        raise InputError(f"no such file: {shown}", hint="Check the path; it is relative to where you are.") from None
    except IsADirectoryError:
        raise InputError(f"{shown} is a directory, not a file", hint="Name the file inside it.") from None
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise InputError(f"{shown} cannot be opened: {reason}", hint="Check the file's permissions.") from None
    with file, unpacked(file) as content:
        yield content


def lines(file: BinaryIO, longest: int = LONGEST, *, mark: bool = True) -> Iterator[tuple[int, Line]]:
    """Every line with its number, from 1, as it is in the file with its line end.

    A byte order mark before the first line is left out, if `mark`. Of a line of more than `longest`
    bytes only the number is given; reading goes on with the next one. Raises `InputError`
    where the file breaks off.
    """
    number = 0
    try:
        start = file.readline(longest + 1)
        first = _whole(file, start.removeprefix(_BOM) if mark else start, longest)
        if first != b"":
            number = 1
            yield 1, first
        for line in enumerate(iter(partial(file.readline, longest + 1), b""), 2):
            number, raw = line
            yield line if len(raw) <= longest else (number, _whole(file, raw, longest))
    except BREAKS as problem:
        raise broken_off(number, problem) from None


def broken_off(line: int, problem: Exception) -> InputError:
    """What is said where nothing can be read after `line`, or, if that is 0, nothing at all."""
    where = f" beyond line {line:,}" if line else ""
    said = printable(str(problem), 200)
    hint = "It may be damaged or cut short; make or fetch it again."
    return InputError(f"the file cannot be read{where}: {said}", hint=hint)


def _whole(file: BinaryIO, raw: bytes, longest: int) -> Line:
    if len(raw) <= longest:
        return raw
    while raw and not raw.endswith(b"\n"):
        raw = file.readline(_BUFFER)
    return None
