"""Opening a file of a dataset: only what has content that ends, decompressed where needed."""

from __future__ import annotations

import io
import os
import select
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from ftbridge.dataset.data_file import Data
from ftbridge.dataset.reading.compressed import CountedFile, CountedStream, decompressed
from ftbridge.errors import InputError
from ftbridge.wording import printable

_BUFFER = 2**18
_PATIENCE = 5.0  # seconds for the other end of a named pipe
_HANDED_OVER = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")  # by a shell: `<(…)` and redirections
_SPECIAL = {
    stat.S_IFDIR: ("a directory", "Name the file inside it."),
    stat.S_IFSOCK: ("a socket", "Name a file."),
    stat.S_IFCHR: ("a device", "Name a file."),
    stat.S_IFBLK: ("a device", "Name a file."),
}


@contextmanager
def open_file(path: Data) -> Iterator[BinaryIO]:
    """The bytes of `path`, decompressed where they are gzip's or zstd's; `-` is standard input.

    A named pipe is waited for until a program has opened it to write, for 5 seconds at most. Raises `InputError` for
    what cannot be opened or is not a file, `MissingExtra` for zstd without zstandard.
    """
    if os.fspath(path) == "-":
        with _standard_input() as file, decompressed(file) as content:
            yield content
        return
    with opening(path):
        raw = CountedFile(_open_pipe(path) if _is_pipe(path) else path)
        file = io.BufferedReader(raw, _BUFFER)
    with file, decompressed(file) as content:
        yield content


@contextmanager
def opening(path: Data) -> Iterator[None]:
    """What keeps a file from being opened in the block, as `InputError`."""
    shown = printable(str(path), 200)
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


def _is_pipe(path: Data) -> bool:
    """Whether it is a named pipe. Raises `InputError` for what is no file: some of it would be read for ever."""
    kind = stat.S_IFMT(os.stat(path).st_mode)  # noqa: PTH116  # it may be a path of any kind
    handed_over = os.fspath(path).startswith(_HANDED_OVER)
    if kind in _SPECIAL and (kind == stat.S_IFDIR or not handed_over):
        what, hint = _SPECIAL[kind]
        raise InputError(f"{printable(str(path), 200)} is {what}, not a file", hint=hint)
    return kind == stat.S_IFIFO and not handed_over


def _open_pipe(path: Data) -> int:
    """Open a named pipe. Raises `InputError` where no program has opened it to write."""
    pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    ready = select.poll()
    ready.register(pipe, select.POLLIN)
    try:
        if not ready.poll(_PATIENCE * 1000):
            os.read(pipe, 1)  # it raises where there is a writer, which has written nothing yet
            raise InputError(
                f"no program has written into the named pipe {printable(str(path), 200)} for {_PATIENCE:g} seconds",
                hint="Start the program that writes into it first, or in that time.",
            )
    except BlockingIOError:
        pass
    except BaseException:
        os.close(pipe)
        raise
    os.set_blocking(pipe, True)
    return pipe


@contextmanager
def _standard_input() -> Iterator[Any]:
    """Standard input, which stays open: that of the process where it is a file or a pipe."""
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None or stream.closed or not stream.readable():
        raise InputError("standard input cannot be read: it is closed", hint="Name a file, or redirect one: - < FILE.")
    try:
        raw: CountedFile | CountedStream = CountedFile(stream.fileno(), closefd=False)
    except OSError:  # a program has put something else there
        raw = CountedStream(stream)
    with io.BufferedReader(raw, _BUFFER) as file:
        yield file
