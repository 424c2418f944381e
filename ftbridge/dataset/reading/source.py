"""A dataset, opened: which format it is in and why, and its rows with their line numbers."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ftbridge.dataset.canonical.without_meaning import UNUSED
from ftbridge.dataset.data_file import Data, columns_of
from ftbridge.dataset.findings import Diagnostics
from ftbridge.dataset.formats import CHAT, FORMATS, recognise
from ftbridge.dataset.formats.base import Format, JsonObject
from ftbridge.dataset.reading.compressed import is_on_disk
from ftbridge.dataset.reading.head import with_head
from ftbridge.dataset.reading.json_document import json_rows
from ftbridge.dataset.reading.kinds import HEAD, SEPARATORS, TABLES, Kind, kind_of
from ftbridge.dataset.reading.lines import Unread, lines
from ftbridge.dataset.reading.on_disk import on_disk
from ftbridge.dataset.reading.opening import open_file
from ftbridge.dataset.reading.renamed import no_such_column, renamed
from ftbridge.dataset.reading.rows import Examples, Reader, Row, reader
from ftbridge.dataset.reading.syntax import UNREADABLE, decode_line
from ftbridge.dataset.reading.tables.cells import with_lists, without_beyond
from ftbridge.dataset.reading.tables.csv_rows import csv_rows
from ftbridge.dataset.reading.tables.parquet_rows import parquet_rows
from ftbridge.dataset.reading.tables.xlsx_rows import xlsx_rows
from ftbridge.dataset.reading.unrecognised import unrecognised
from ftbridge.errors import UsageError
from ftbridge.wording import did_you_mean, printable

_LOOK_AHEAD = 100
_LOOK_AHEAD_SIZE = 8 * 2**20  # bytes of these rows, or characters


class Source(NamedTuple):
    """`reader` turns the `rows` into examples; where it cannot, the reason is in its diagnostics.

    `divisible` tells whether the file can be read from the middle, `why` how the format was detected, `detected_on`
    by which line (0: the user named it).
    """

    name: str
    format: str
    why: str
    detected_on: int
    divisible: bool
    rows: Iterator[tuple[int, Row]]
    reader: Reader

    def examples(self, diagnostics: Diagnostics) -> Examples:
        """Every valid row and its example; what is wrong with the other rows is added to `diagnostics`."""
        return self.reader.read(self.rows, diagnostics)


@contextmanager
def open_source(path: Data, format: str | None = None) -> Iterator[Source]:  # noqa: A002  # the word of the CLI
    """Open `path`, whatever its rows are written in, and detect their format, unless `format` names it.

    Raises `InputError` for what cannot be opened and `UsageError` for an unknown format, or for a column that is to
    be renamed and is not there.
    """
    if format is not None and format not in FORMATS:
        hint = f"{did_you_mean(format, FORMATS)}Known formats: {', '.join(FORMATS)}."
        raise UsageError(f"there is no format '{printable(format)}'", hint=hint)
    name, columns = printable(str(path), 200), dict(columns_of(path))
    with open_file(path) as opened:
        is_there = is_on_disk(opened) and Path(path) != Path("-")
        start, file = with_head(opened, HEAD)
        kind = kind_of(start, _suffix(path))
        if isinstance(kind, Unread):
            yield _unread(name, kind, [(1, b"")])
            return
        with _rows(kind, path, file, is_there=is_there) as rows:
            if columns:
                rows = renamed(rows, columns)
            if kind in TABLES:
                rows = with_lists(rows)
            head = _first(rows)
            detected = None if format else _detect(head)
            if not format and not detected:
                problem = _unrecognised(head, columns, table=kind in TABLES)
                if problem is not None:
                    yield _unread(name, problem, head[:1])
                    return
            if detected is None:
                detected = FORMATS[format or CHAT.name], 0, "named by the user" if format else _no_object(head)
            found, detected_on, why = detected
            divisible = kind is Kind.LINES and is_there and not columns and not found.select
            canonical = kind in (Kind.LINES, Kind.DOCUMENT) and not columns and found.canonical
            all_rows: Iterator[tuple[int, Row]] = itertools.chain(head, rows)
            if kind in TABLES:
                all_rows = without_beyond(all_rows)
            rows_reader = reader(found, detected_on, canonical=canonical)
            yield Source(name, found.name, why, detected_on, divisible, all_rows, rows_reader)


def _suffix(path: Data) -> str:
    file = Path(path)
    return (file.with_suffix("") if file.suffix in (".gz", ".zst") else file).suffix.lower()


@contextmanager
def _rows(kind: Kind, path: Data, file: BinaryIO, *, is_there: bool) -> Iterator[Iterator[tuple[int, Row]]]:
    """The rows of a file of that kind."""
    if kind in (Kind.PARQUET, Kind.XLSX):
        read = parquet_rows if kind is Kind.PARQUET else xlsx_rows
        with on_disk(path, file, is_there=is_there) as whole:
            yield read(whole)
    elif kind is Kind.LINES:
        yield lines(file)
    else:
        yield json_rows(file) if kind is Kind.DOCUMENT else csv_rows(file, SEPARATORS[kind])


def _unrecognised(head: list[tuple[int, Row]], columns: dict[str, str], *, table: bool) -> Unread | None:
    """Why the rows are in no known format. Raises `UsageError` where a name in --map may be the reason."""
    objects = [row for _, row in _objects(head)]
    absent = [old for old, new in columns.items() if new != UNUSED and not any(new in row for row in objects)]
    if absent and objects:
        raise no_such_column(absent[0], objects[0])
    return unrecognised(_objects(head), columns, table=table)


def _unread(name: str, problem: Unread, rows: list[tuple[int, Row]]) -> Source:
    """A source without examples, and one finding."""
    return Source(name, "unknown", problem.message, 1, False, iter(rows), _refusal(problem))


def _first(rows: Iterator[tuple[int, Row]]) -> list[tuple[int, Row]]:
    """The rows by which the format is detected: some, and not many bytes."""
    head: list[tuple[int, Row]] = []
    size = 0
    for row in itertools.islice(rows, _LOOK_AHEAD):
        head.append(row)
        size += _size(row[1])
        if size > _LOOK_AHEAD_SIZE:
            break
    return head


def _size(row: Row) -> int:
    if isinstance(row, bytes):
        return len(row)
    return sum(len(cell) for cell in row.values() if isinstance(cell, str)) if isinstance(row, dict) else 0


def _detect(head: list[tuple[int, Row]]) -> tuple[Format, int, str] | None:
    for number, row in _objects(head):
        found = recognise(row)
        if found is not None:
            keys = ", ".join(f"'{printable(key, 30)}'" for key in itertools.islice(row, 5))
            return found, number, f"line {number} has the keys {keys}"
    return None


def _objects(head: list[tuple[int, Row]]) -> Iterator[tuple[int, JsonObject]]:
    """The rows that are JSON objects."""
    for number, raw in head:
        try:
            row = decode_line(raw) if isinstance(raw, bytes) else raw
        except UNREADABLE:
            continue
        if isinstance(row, dict):
            yield number, row


def _no_object(head: list[tuple[int, Row]]) -> str:
    """Why a file without any object is read as chats."""
    first = f"the first {_LOOK_AHEAD} lines" if len(head) == _LOOK_AHEAD else "its lines"
    return f"none of {first} is a JSON object" if head else "the file has no lines"


def _refusal(unread: Unread) -> Reader:
    def refuse(rows: Iterable[tuple[int, Row]], diagnostics: Diagnostics) -> Examples:
        for diagnostics.line, _ in rows:
            diagnostics.error("$", unread.code, unread.message, unread.fix)
        yield from ()

    return Reader(refuse)
