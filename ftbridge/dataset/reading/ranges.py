"""A file of lines divided into byte ranges, so that several processes can read it at once."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar, cast

from ftbridge.dataset.reading.opening import open_file
from ftbridge.errors import InputError

T = TypeVar("T")

_CHUNK = 2**18


class Range(NamedTuple):
    """Whole lines: the bytes from `start` up to `end`."""

    start: int
    end: int


def byte_ranges(path: Path, parts: int) -> list[Range]:
    """At most `parts` ranges of about the same size, which together are the file.

    Raises `InputError` where it cannot be opened.
    """
    parts = min(parts, _most_processes())
    cuts = [0]
    with open_file(path) as file:
        size = path.stat().st_size
        for part in range(1, parts):
            file.seek(max(cuts[-1], size * part // parts))
            chunk = file.readline(_CHUNK)
            while chunk and not chunk.endswith(b"\n"):
                chunk = file.readline(_CHUNK)
            cuts.append(file.tell())
    cuts.append(size)
    return [Range(start, end) for start, end in pairwise(cuts) if start < end]


def open_range(file: BinaryIO, part: Range) -> BinaryIO:
    """The bytes of `file` that are in the range, as a file of their own."""
    file.seek(part.start)
    return cast(BinaryIO, io.BufferedReader(_Limited(file, part.end - part.start), _CHUNK))


def run_in_processes(work: Callable[..., T], workers: int, *inputs: Iterable[Any]) -> Iterator[T]:
    """The results of `work`, in the order of its `inputs`, from as many processes: the one function that starts any.

    Raises `InputError` where one of them is killed.
    """
    try:
        with ProcessPoolExecutor(min(workers, _most_processes()), get_context("spawn")) as pool:
            yield from pool.map(work, *inputs)
    except BrokenProcessPool:
        raise InputError(
            "a process that was reading a part of the file was killed",
            hint="If memory is short, give fewer workers.",
        ) from None


def _most_processes() -> int:
    """More than these gain nothing, and cost memory each."""
    return 4 * (os.cpu_count() or 1)


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
