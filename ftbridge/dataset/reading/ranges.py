"""A file of lines divided into byte ranges, so that several processes can read it at once."""

from __future__ import annotations

import io
import os
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from ftbridge.dataset.reading.opening import open_file

PART = 16 * 2**20
"""Bytes of a part of a file. It does not depend on the number of processes, and so nothing that is found does."""

_CHUNK = 2**18
_LARGE = 64 * 2**20  # bytes of a file from which on more processes than one save more time than it takes to start them


class Range(NamedTuple):
    """Whole lines: the bytes from `start` up to `end`."""

    start: int
    end: int


def worker_count(path: Path, requested: int | None) -> int:
    """How many processes shall read `path`: as many as were requested, else one for a small file, and all cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if requested is None:
        return cores if path.stat().st_size >= _LARGE else 1
    return min(requested, 4 * cores)  # more gain nothing, and cost memory each


def byte_ranges(path: Path, size: int | None = None) -> list[Range]:
    """Ranges of about `size` bytes, `PART` unless it is given, which together are the file.

    Raises `InputError` where it cannot be opened.
    """
    size = size or PART
    end = path.stat().st_size
    cuts = [0]
    with open_file(path) as file:
        while cuts[-1] + size < end:
            file.seek(cuts[-1] + size)
            chunk = file.readline(_CHUNK)
            while chunk and not chunk.endswith(b"\n"):
                chunk = file.readline(_CHUNK)
            cuts.append(file.tell())
    return [Range(start, stop) for start, stop in pairwise([*cuts, end]) if start < stop]


def open_range(file: BinaryIO, part: Range) -> BinaryIO:
    """The bytes of `file` that are in the range, as a file of their own."""
    file.seek(part.start)
    return cast(BinaryIO, io.BufferedReader(_Limited(file, part.end - part.start), _CHUNK))


class _Limited(io.RawIOBase):
    """The next `size` bytes of a file, and then its end."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._remaining = size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(self._remaining if size < 0 else min(size, self._remaining))
        self._remaining -= len(data)
        return data

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # what BufferedReader passes
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
