"""Rows from CSV, each with the number of the line that it begins on, in constant memory."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any, BinaryIO, TypeAlias

from ftbridge.dataset.findings import MOST_IN_VAIN
from ftbridge.dataset.formats.base import JsonObject
from ftbridge.dataset.reading.lines import READ_ERRORS, Line, Unread, cannot_read
from ftbridge.dataset.reading.tables.cells import BLANK, by_column, repeated_column
from ftbridge.dataset.reading.tables.csv_lines import MAX_ROW, TOO_LONG, CsvLines
from ftbridge.dataset.reading.tables.csv_quotes import quotes_of
from ftbridge.errors import InputError
from ftbridge.wording import counted

MAX_COLUMNS = 10_000
_CLOSE = 'Close it; a quote inside a quoted cell is written twice: "".'
UNCLOSED = "unclosed_quote"
"""The code of the finding about a quote that is never closed: after it the rows of the table are not certain."""
_UNCLOSED = Unread(UNCLOSED, "a cell of this row opens with a quote and is never closed", _CLOSE)
_NOT_ENDED = Unread("csv", "a cell of this row goes on behind the quote that closes it", _CLOSE)
_Cells: TypeAlias = list[str] | Unread


def csv_rows(file: BinaryIO, separator: str = ",") -> Iterator[tuple[int, JsonObject | Line]]:
    """The rows under the header, each with the number of the line that it begins on; every cell is a text.

    Empty cells are left out, and a row of nothing else is a blank line. A row that cannot be read is `Unread`; where
    that is the header, no row follows. After a quote that is never closed, reading goes on with the line after it.
    Raises `InputError` where the file cannot be read any further.
    """
    csv.field_size_limit(MAX_ROW)  # one setting for the process; nothing else here reads CSV
    lines = CsvLines(file)
    header: list[str] | None = None
    try:
        for number, row in _without_blank_lines(lines, _rows(lines, separator)):
            if header is not None:
                yield number, row if isinstance(row, Unread) else _by_column(header, row)
                continue
            if isinstance(row, Unread) or len(row) > MAX_COLUMNS:
                yield number, row if isinstance(row, Unread) else _too_wide(row)
                return
            if twice := repeated_column(row):
                yield number, twice
                return
            header = row
    except READ_ERRORS as problem:
        raise cannot_read(lines.number, problem) from None


def _without_blank_lines(lines: CsvLines, rows: Iterator[tuple[int, _Cells]]) -> Iterator[tuple[int, _Cells]]:
    blank = 0
    for number, row in rows:
        if row:
            blank = 0
            yield number, row
            continue
        blank += 1
        if blank > MOST_IN_VAIN:
            message = f"{blank:,} blank lines follow each other up to line {lines.number:,}"
            raise InputError(message, hint="Remove them, if there are rows behind them.")


def _rows(lines: CsvLines, separator: str) -> Iterator[tuple[int, _Cells]]:
    """Every row, [] for a blank line, with the line that it begins on; of an open quote the line on which that is."""
    table = csv.reader(lines, delimiter=separator, strict=True)
    doubtful = 0  # the line of a quote that may be open, as what follows tells
    while (row := _next_row(table, lines)) is not None:
        if not (isinstance(row, Unread) or lines.row_is_long or doubtful) or b'"' not in lines.row:
            yield _as_read(lines, row)
            continue
        quotes = quotes_of(bytes(lines.row), separator.encode())
        if quotes.is_open is not None and (lines.problem is not TOO_LONG or lines.row_is_long):
            is_closed = not lines.row_is_long and b'"' in lines.row[quotes.is_open + 1 :]
            yield lines.line_at(quotes.is_open), _NOT_ENDED if is_closed else _UNCLOSED
            lines.go_back(quotes.is_open)
            continue
        if doubtful and quotes.left_over:
            yield doubtful, _UNCLOSED
        if quotes.quoted or quotes.left_over:
            doubtful = 0 if quotes.may_be_open is None else lines.line_at(quotes.may_be_open)
        yield _as_read(lines, row)


def _next_row(table: Any, lines: CsvLines) -> _Cells | None:
    """The next row; None at the end."""
    lines.start_row()
    try:
        row: list[str] | None = next(table, None)
    except csv.Error as problem:
        return Unread("csv", f"the row is not CSV: {problem}", "Write the table with a CSV library.")
    return row


def _as_read(lines: CsvLines, row: _Cells) -> tuple[int, _Cells]:
    if lines.problem is TOO_LONG:
        lines.skip_line()
    lines.row.clear()  # a long one would be held as long as its cells
    return lines.row_starts, lines.problem or row


def _by_column(header: list[str], row: list[str]) -> JsonObject | Line:
    if len(row) > MAX_COLUMNS:
        return _too_wide(row)
    if not any(map(str.strip, row)):
        return BLANK
    return by_column(header, row)


def _too_wide(row: list[str]) -> Unread:
    message = f"the row has {counted(len(row), 'cell')}, and no table that can be read has more than {MAX_COLUMNS:,}"
    return Unread("too_many_cells", message, "Keep the columns that hold the examples.")
