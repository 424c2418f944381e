"""A file of lines divided into byte ranges, so that several processes can read it at once."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar, cast

from ftbridge.errors import InputError

T = TypeVar("T")

_PIECE = 2**18


class Range(NamedTuple):
    """Whole lines: the bytes from `start` up to `end`."""

    start: int
    end: int


def byte_ranges(path: Path, parts: int) -> list[Range]:
    """At most `parts` ranges of about the same size, which together are the file."""
    size = path.stat().st_size
    cuts = [0]
    with path.open("rb") as file:
        for part in range(1, parts):
            file.seek(max(cuts[-1], size * part // parts))
            piece = file.readline(_PIECE)
            while piece and not piece.endswith(b"\n"):
                piece = file.readline(_PIECE)
            cuts.append(file.tell())
    cuts.append(size)
    return [Range(start, end) for start, end in pairwise(cuts) if start < end]


def within(file: BinaryIO, span: Range) -> BinaryIO:
    """The part of `file` that is in the range, as a file of its own."""
    file.seek(span.start)
    return cast(BinaryIO, io.BufferedReader(_Limited(file, span.end - span.start), _PIECE))


def in_processes(work: Callable[..., T], workers: int, *inputs: Iterable[Any]) -> Iterator[T]:
    """The results of `work`, in the order of its `inputs`, from as many processes: the one place that knows of them.

    Raises `InputError` where one of them is killed.
    """
    try:
        with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
            yield from pool.map(work, *inputs)
    except BrokenProcessPool:
        raise InputError(
            "a process that was reading a part of the file has been killed",
            hint="Where memory is short, give fewer --workers.",
        ) from None


class _Limited(io.RawIOBase):
    """The next `left` bytes of a file, and then its end."""

    def __init__(self, file: BinaryIO, left: int) -> None:
        self._file = file
        self._left = left

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # what BufferedReader hands over
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
