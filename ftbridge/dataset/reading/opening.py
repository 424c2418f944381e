"""Opening a file of a dataset: only what has content that ends, decompressed where needed."""

from __future__ import annotations

import io
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ftbridge.dataset.reading.compressed import CountedFile, decompressed
from ftbridge.errors import InputError
from ftbridge.wording import printable

_BUFFER = 2**18
_HANDED_OVER = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")  # by a shell: `<(…)` and redirections
_SPECIAL = {
    stat.S_IFDIR: ("a directory", "Name the file inside it."),
    stat.S_IFIFO: ("a named pipe", "Name a file, or read it as standard input: ftbridge … - < PIPE."),
    stat.S_IFSOCK: ("a socket", "Name a file."),
    stat.S_IFCHR: ("a device", "Name a file."),
    stat.S_IFBLK: ("a device", "Name a file."),
}


@contextmanager
def open_file(path: str | Path) -> Iterator[BinaryIO]:
    """The bytes of `path`, decompressed where they are gzip's or zstd's; `-` is standard input, as it is.

    Raises `InputError` for what cannot be opened or is not a file, `MissingExtra` for zstd without zstandard.
    """
    if str(path) == "-":
        yield _standard_input()
        return
    with opening(path):
        _refuse_special(path)
        file = io.BufferedReader(CountedFile(path), _BUFFER)
    with file, decompressed(file) as content:
        yield content


@contextmanager
def opening(path: str | Path) -> Iterator[None]:
    """What keeps a file from being opened in the block, as `InputError`."""
    shown = printable(str(Path(path)), 200)
    try:
        yield
    except FileNotFoundError:
        raise InputError(
            f"no such file: {shown}", hint="Check the path; it is relative to the current directory."
        ) from None
    except PermissionError:
        raise InputError(f"{shown} cannot be opened: permission denied", hint="Check the file's permissions.") from None
    except (OSError, ValueError) as problem:  # ValueError: a path with a null character
        reason = printable((getattr(problem, "strerror", None) or str(problem)).lower(), 200)
        raise InputError(f"{shown} cannot be opened: {reason}", hint="Check the path.") from None


def _refuse_special(path: str | Path) -> None:
    """Raises `InputError` for what is no file; some of these would be waited for, or read, for ever."""
    kind = stat.S_IFMT(Path(path).stat().st_mode)
    if kind in _SPECIAL and (kind == stat.S_IFDIR or not str(path).startswith(_HANDED_OVER)):
        what, hint = _SPECIAL[kind]
        raise InputError(f"{printable(str(Path(path)), 200)} is {what}, not a file", hint=hint)


def _standard_input() -> BinaryIO:
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None or stream.closed or not stream.readable():
        raise InputError("standard input cannot be read: it is closed", hint="Name a file, or redirect one: - < FILE.")
    return stream  # type: ignore[no-any-return]  # sys.stdin is whatever a program has put there
