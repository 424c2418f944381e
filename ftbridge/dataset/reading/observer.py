"""Observers see every valid example of a file, so that one pass over the file serves several purposes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Protocol, Self, runtime_checkable

import msgspec

from ftbridge.dataset.canonical.example import Example
from ftbridge.dataset.data_file import Data
from ftbridge.dataset.findings import Diagnostics, ReadInVain
from ftbridge.dataset.reading.rows import Examples, Row
from ftbridge.dataset.reading.source import open_source
from ftbridge.dataset.unforeseen import report_unforeseen

_BATCH = 2**16  # bytes: few enough to stay in a processor's cache, and enough that a call for each costs nothing
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Batch:
    """Some valid rows that follow each other in a file: the line of each, the row as it was read, and its example."""

    lines: list[int] = field(default_factory=list)
    raws: list[Row] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)

    @cached_property
    def rows(self) -> list[bytes]:
        """The examples as canonical JSON, one by one, without line ends."""
        return list(map(_encode, self.examples))

    @cached_property
    def block(self) -> bytes:
        """All of them together, each with a line end."""
        return b"\n".join([*self.rows, b""])

    @cached_property
    def starts(self) -> list[int]:
        """Where in `block` each row begins, and where the last one ends."""
        return list(accumulate((len(row) + 1 for row in self.rows), initial=0))


class Observer(Protocol):
    """Collects something about the valid examples of a file, in the order of their lines."""

    def observe(self, batch: Batch) -> None:
        """Take in some examples. Never alters them, and never raises because of what they contain."""
        ...


@runtime_checkable
class Divisible(Observer, Protocol):
    """An observer of which each part of a file can have one of its own, in another process."""

    def part(self, number: int, parts: int) -> Self:
        """One that has seen nothing, for that one of the file's parts."""
        ...

    def add(self, later: Self, lines_before: int) -> None:
        """Take in what was seen of the part that comes next by one that counted its lines from there."""
        ...


def batches(rows: Examples, diagnostics: Diagnostics) -> Iterator[Batch]:
    """The valid rows, as many at a time as make some size together, or one large one.

    Raises `ReadInVain` as reading does, once the rows before have been taken.
    """
    batch, size = Batch(), 0
    try:
        for raw, example in rows:
            batch.lines.append(diagnostics.line)
            batch.raws.append(raw)
            batch.examples.append(example)
            size += len(raw) if type(raw) is bytes else _BATCH  # how large a table's row is nobody knows
            if size >= _BATCH:
                yield batch
                batch, size = Batch(), 0
    except ReadInVain:
        yield batch
        raise
    if batch.lines:
        yield batch


def encoded(batch: Batch, diagnostics: Diagnostics) -> list[Batch]:
    """The batch, once it is encoded; in batches of one row where that fails for some, which are reported instead."""
    try:
        assert batch.rows is not None
        return [batch]
    except Exception as unforeseen:
        if len(batch.lines) > 1:
            each = zip(batch.lines, batch.raws, batch.examples, strict=True)
            return [one for line, raw, example in each for one in encoded(Batch([line], [raw], [example]), diagnostics)]
        with diagnostics.at(batch.lines[0]):
            report_unforeseen(unforeseen, diagnostics)
        return []


def show(observers: Sequence[Observer], batch: Batch) -> None:
    """Let all of them see a batch."""
    for observer in observers:
        observer.observe(batch)


def observe_file(path: Data, observers: Sequence[Observer], *, format: str | None = None) -> int:  # noqa: A002  # the word of the CLI
    """Read `path` for `observers` alone; the number of lines with errors, which they do not see.

    Raises `InputError` for what cannot be opened or read.
    """
    diagnostics = Diagnostics()
    with open_source(path, format) as source:
        for taken in batches(source.examples(diagnostics), diagnostics):
            for batch in encoded(taken, diagnostics):
                show(observers, batch)
    return diagnostics.invalid.total()
