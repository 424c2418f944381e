"""Rows are read, and looked at, many at a time: what a call costs is then shared by all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import TypeAlias

import msgspec

from ftbridge.dataset.canonical.example import Example
from ftbridge.dataset.canonical.usual import spaced, spelling_of, unusual
from ftbridge.dataset.canonical.verbatim import repeats_no_key, verbatim
from ftbridge.dataset.findings import Diagnostics, ReadInVain
from ftbridge.dataset.reading.rows import Ordinary, Reader, Row
from ftbridge.dataset.unforeseen import report_unforeseen

_SIZE = 2**16  # bytes: few enough to stay in a processor's cache, and enough that a call for each costs nothing
_encode = msgspec.json.Encoder().encode
_Numbered: TypeAlias = tuple[int, Row]


@dataclass(frozen=True)
class Batch:
    """Some valid rows that follow each other in a file: the line of each, the row as it was read, and its example.

    `canonical` tells whether the rows are lines in the canonical format.
    """

    lines: list[int] = field(default_factory=list)
    raws: list[Row] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)
    canonical: bool = False

    def add(self, lines: Iterable[int], raws: Iterable[Row], examples: Iterable[Example]) -> None:
        """Take in rows that come next."""
        self.lines.extend(lines)
        self.raws.extend(raws)
        self.examples.extend(examples)

    @cached_property
    def unusual(self) -> list[int]:
        """The indices of rows that are not canonical lines in the usual spelling of this batch, that of its first."""
        if not self.canonical:
            return list(range(len(self.raws)))
        return unusual(self.raws, self.examples, spelling_of(self.raws[0]))  # type: ignore[arg-type]  # they are lines

    @cached_property
    def encoded(self) -> dict[int, bytes]:
        """The unusual rows as canonical JSON, without line ends."""
        return {index: _encode(self.examples[index]) for index in self.unusual}

    @cached_property
    def repeating(self) -> list[int]:
        """The indices of lines in which an object has a key twice; the usual ones have none for certain."""
        if self.canonical:
            return [index for index, row in self.encoded.items() if not verbatim(self.raws[index], row)]  # type: ignore[arg-type]  # they are lines
        lines = {index: raw for index, raw in enumerate(self.raws) if isinstance(raw, bytes)}
        if repeats_no_key(b"[" + b",".join(lines.values()) + b"]"):
            return []
        return [index for index, raw in lines.items() if not repeats_no_key(raw)]

    @cached_property
    def rows(self) -> list[bytes]:
        """The examples as JSON in the spaced spelling, each with a line end: equal where the examples are equal."""
        usual = spelling_of(self.raws[0])
        rows: list[bytes] = [spaced(raw) for raw in self.raws] if not usual.spaces else self.raws.copy()  # type: ignore[arg-type,assignment]
        for index, row in self.encoded.items():
            rows[index] = spaced(row) + b"\n"
        return rows

    @cached_property
    def canonical_rows(self) -> list[bytes]:
        """The examples as canonical JSON, without line ends."""
        return list(map(self.canonical_row, range(len(self.examples))))

    def canonical_row(self, index: int) -> bytes:
        """One of them."""
        return self.encoded[index] if index in self.encoded else _encode(self.examples[index])

    @cached_property
    def sizes(self) -> list[int]:
        """The bytes of each row as canonical JSON."""
        spaces = spelling_of(self.raws[0]).spaces
        if len(self.encoded) == len(self.raws):
            return list(map(len, self.encoded.values()))
        each = zip(self.raws, self.examples, strict=True)
        sizes = [len(raw) - spaces * len(example.messages) - 1 for raw, example in each]  # type: ignore[arg-type,union-attr]
        for index, row in self.encoded.items():
            sizes[index] = len(row)
        return sizes

    @cached_property
    def block(self) -> bytes:
        """All `rows` together."""
        return b"".join(self.rows)

    @cached_property
    def starts(self) -> list[int]:
        """Where in `block` each row begins, and where the last one ends."""
        return list(accumulate(map(len, self.rows), initial=0))


def batches(rows: Iterable[_Numbered], reader: Reader, diagnostics: Diagnostics) -> Iterator[Batch]:
    """The valid rows, as many at a time as make some size together, or one large one.

    Raises `ReadInVain` as reading does, once the rows before have been taken.
    """
    taken = _read_together(rows, reader, reader.ordinary, diagnostics) if reader.ordinary else None
    for batch in taken or _read_one_by_one(rows, reader, diagnostics):
        if batch.lines:
            yield batch


def encoded(batch: Batch, diagnostics: Diagnostics) -> list[Batch]:
    """The batch, once it is encoded; in batches of one row where that fails for some, which are reported instead."""
    try:
        assert batch.encoded is not None
        return [batch]
    except Exception as unforeseen:
        if len(batch.lines) > 1:
            each = zip(batch.lines, batch.raws, batch.examples, strict=True)
            rows = (Batch([line], [raw], [example], batch.canonical) for line, raw, example in each)
            return [one for row in rows for one in encoded(row, diagnostics)]
        with diagnostics.at(batch.lines[0]):
            report_unforeseen(unforeseen, diagnostics)
        return []


def _read_together(
    rows: Iterable[_Numbered], reader: Reader, ordinary: Ordinary, diagnostics: Diagnostics
) -> Iterator[Batch]:
    """Decode many rows at once, and read again those that are not ordinary examples."""
    for numbers, raws in _groups(rows):
        batch, done = Batch(canonical=reader.canonical), 0
        examples = ordinary(raws)
        try:
            for index in [index for index, example in enumerate(examples) if example is None]:
                batch.add(numbers[done:index], raws[done:index], examples[done:index])  # type: ignore[arg-type]  # not None
                done = index + 1
                for raw, example in reader.read([(numbers[index], raws[index])], diagnostics):
                    batch.add([numbers[index]], [raw], [example])
        except ReadInVain:
            yield batch
            raise
        batch.add(numbers[done:], raws[done:], examples[done:])  # type: ignore[arg-type]  # not None
        diagnostics.line = numbers[-1]
        yield batch


def _groups(rows: Iterable[_Numbered]) -> Iterator[tuple[list[int], list[Row]]]:
    numbers: list[int] = []
    raws: list[Row] = []
    size = 0
    for number, raw in rows:
        numbers.append(number)
        raws.append(raw)
        size += len(raw) if type(raw) is bytes else 1
        if size >= _SIZE:
            yield numbers, raws
            numbers, raws, size = [], [], 0
    if numbers:
        yield numbers, raws


def _read_one_by_one(rows: Iterable[_Numbered], reader: Reader, diagnostics: Diagnostics) -> Iterator[Batch]:
    batch, size = Batch(canonical=reader.canonical), 0
    try:
        for raw, example in reader.read(rows, diagnostics):
            batch.add([diagnostics.line], [raw], [example])
            size += len(raw) if type(raw) is bytes else _SIZE  # how large a table's row is nobody knows
            if size >= _SIZE:
                yield batch
                batch, size = Batch(canonical=reader.canonical), 0
    except ReadInVain:
        yield batch
        raise
    yield batch
