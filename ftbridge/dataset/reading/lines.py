"""A file as numbered lines, decompressed where needed, in constant memory."""

from __future__ import annotations

import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeAlias

from ftbridge.dataset.reading.compressed import decompressed
from ftbridge.errors import InputError
from ftbridge.wording import printable

MAX_LINE = 32 * 2**20
READ_ERRORS = (OSError, EOFError, zlib.error)
"""What is raised where a file cannot be read any further."""

_BUFFER = 2**18
_BOM = b"\xef\xbb\xbf"

Line: TypeAlias = bytes | None  # None is a line that was too long to be held


@contextmanager
def open_file(path: str | Path) -> Iterator[BinaryIO]:
    """The bytes of `path`, decompressed where they are gzip's or zstd's; `-` is standard input, as it is.

    Raises `InputError` for what cannot be opened, `MissingExtra` for zstd without zstandard.
    """
    shown = printable(str(path), 200)
    if str(path) == "-":
        yield sys.stdin.buffer
        return
    try:
        file = io.BufferedReader(io.FileIO(path), _BUFFER)
    except FileNotFoundError:
        raise InputError(
            f"no such file: {shown}", hint="Check the path; it is relative to the current directory."
        ) from None
    except IsADirectoryError:
        raise InputError(f"{shown} is a directory, not a file", hint="Name the file inside it.") from None
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise InputError(f"{shown} cannot be opened: {reason}", hint="Check the file's permissions.") from None
    with file, decompressed(file) as content:
        yield content


def lines(file: BinaryIO, limit: int = MAX_LINE, *, skip_bom: bool = True) -> Iterator[tuple[int, Line]]:
    """Every line with its number, from 1, as it is in the file with its line end.

    A byte order mark before the first line is left out, if `skip_bom`. Of a line of more than `limit`
    bytes only the number is given; reading continues with the next one. Raises `InputError`
    where the file cannot be read any further.
    """
    number = 0
    try:
        start = file.readline(limit + 1)
        first = _within_limit(file, start.removeprefix(_BOM) if skip_bom else start, limit)
        if first != b"":
            number = 1
            yield 1, first
        for line in enumerate(iter(partial(file.readline, limit + 1), b""), 2):
            number, raw = line
            yield line if len(raw) <= limit else (number, _within_limit(file, raw, limit))
    except READ_ERRORS as problem:
        raise cannot_read(number, problem) from None


def cannot_read(line: int, problem: Exception) -> InputError:
    """The error for a file of which nothing can be read after `line`; 0 if nothing at all."""
    beyond = f" beyond line {line:,}" if line else ""
    reason = printable(str(problem), 200)
    hint = "It may be damaged or truncated; create or download it again."
    return InputError(f"the file cannot be read{beyond}: {reason}", hint=hint)


def _within_limit(file: BinaryIO, raw: bytes, limit: int) -> Line:
    """The line itself, or None after the rest of a longer one has been skipped."""
    if len(raw) <= limit:
        return raw
    while raw and not raw.endswith(b"\n"):
        raw = file.readline(_BUFFER)
    return None
