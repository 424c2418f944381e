"""The first bytes of a file, without taking them from it."""

from __future__ import annotations

import io
from typing import BinaryIO

from ftbridge.dataset.reading.lines import READ_ERRORS

_BUFFER = 2**18


def with_head(file: BinaryIO, size: int) -> tuple[bytes, BinaryIO]:
    """Up to `size` bytes, fewer only where the file ends, and a file that begins with them."""
    if isinstance(file, io.BufferedReader) and len(head := _peek(file, size)) >= size:
        return head[:size], file
    head, problem = b"", None
    while len(head) < size and problem is None:
        try:
            more = file.read1(size - len(head)) if isinstance(file, io.BufferedReader) else file.read(size - len(head))
        except READ_ERRORS as error:  # it is raised again where the reader gets there
            problem = error
            break
        if not more:
            break
        head += more
    return head, io.BufferedReader(_Joined(head, file, problem), _BUFFER)


def _peek(file: io.BufferedReader, size: int) -> bytes:
    try:
        return file.peek(size)
    except READ_ERRORS:
        return b""


class _Joined(io.RawIOBase):
    """Some bytes, and after them a file, or what was raised there."""

    def __init__(self, head: bytes, file: BinaryIO, problem: Exception | None) -> None:
        self._head = io.BytesIO(head)
        self._file = file
        self._problem = problem

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader passes
        data = self._head.read(len(buffer))
        if not data and self._problem:
            raise self._problem
        data = data or self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
