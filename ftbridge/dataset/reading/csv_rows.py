"""Rows from CSV, each with the number of the line that it begins on, in constant memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from ftbridge.dataset.findings import MOST_IN_VAIN
from ftbridge.dataset.formats.base import JsonObject
from ftbridge.dataset.reading.lines import (
    BOM,
    READ_ERRORS,
    TOO_MANY_VALUES,
    UTF_16,
    Unread,
    cannot_read,
    has_too_many_values,
    not_utf8,
    skip_line,
)
from ftbridge.errors import InputError
from ftbridge.wording import counted

BEYOND = "beyond the header"
"""The key of the cells for which there is no column."""

MAX_ROW = 16 * 2**20  # bytes; the reader of the standard library holds a row several times over
MAX_COLUMNS = 10_000
_TOO_LONG = Unread("line_too_long", f"the row is longer than {MAX_ROW >> 20} MB", "Shorten it, or close its quotes.")
_UNCLOSED = Unread(
    "unclosed_quote",
    "a quote in this row is never closed, so that all that follows is one cell",
    'Close it; a quote inside a quoted cell is written twice: "".',
)
_LONG = 2**18
_BEYOND_KEPT = 100  # cells without a column
_BOMS = (b"\xff\xfe", b"\xfe\xff")
_HOLDS_JSON = {
    *("messages", "tools", "conversations", "conversation", "interactions", "contents", "systemInstruction"),
    *("preferred_output", "non_preferred_output", "prompt", "completion", "chosen", "rejected", "history"),
}


def csv_rows(file: BinaryIO, separator: str = ",") -> Iterator[tuple[int, JsonObject | Unread]]:
    """The rows under the header, each with the number of the line that it begins on.

    Empty cells are left out. A cell that holds JSON where a format has more than text is read as JSON. A row that
    cannot be read is `Unread`; where that is the header, no row follows. Raises `InputError` where the file cannot
    be read any further.
    """
    csv.field_size_limit(MAX_ROW)  # one setting for the process; nothing else here reads CSV
    text = _Text(file)
    table = csv.reader(text, delimiter=separator)
    header: list[str] | None = None
    blank = 0
    try:
        while True:
            row = _next_row(table, text)
            if row is None:
                return
            blank = 0 if row else blank + 1
            if blank > MOST_IN_VAIN:
                message = f"{blank:,} blank lines follow each other up to line {text.number:,}"
                raise InputError(message, hint="Remove them, if there are rows behind them.")
            if isinstance(row, Unread):
                yield text.row_starts, row
                if header is None:
                    return
            elif header is None and row:
                header = row
                if len(header) > MAX_COLUMNS:
                    yield text.row_starts, _too_wide(header)
                    return
            elif row and header is not None:
                yield text.row_starts, _cells(header, row)
    except READ_ERRORS as problem:
        raise cannot_read(text.number, problem) from None


class _Text:
    """The lines of a file as text, for one row at a time of the standard library's reader."""

    def __init__(self, file: BinaryIO) -> None:
        self.number = 0
        self.row_starts = 1
        self.ended = False
        self.problem: Unread | None = None
        self._file = file
        self._left = MAX_ROW
        self._parts: Iterator[str] = iter(())

    def start_row(self) -> None:
        """Forget what was learned about the row before."""
        self.row_starts, self._left, self.problem = self.number + 1, MAX_ROW, None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        part = next(self._parts, None)
        if part is None:
            part = self._decoded(self._next_line())
        elif not part.isascii():
            part = self._decoded(part.encode("utf-8", "surrogateescape"))
        self.number += 1
        return part

    def _next_line(self) -> bytes:
        raw = self._file.readline(self._left + 1)
        if not raw:
            self.ended = True
            raise StopIteration
        self._left -= len(raw)
        if self._left < 0:
            self.number += 1
            self.problem = _TOO_LONG
            skip_line(self._file, raw, self.number)
            raise csv.Error
        if self.number == 0:
            self.problem = UTF_16 if raw.startswith(_BOMS) else None
            raw = raw.removeprefix(BOM)
        if b"\r" not in raw[:-2]:
            return raw
        self._parts = io.TextIOWrapper(io.BytesIO(raw), "utf-8", "surrogateescape", newline="")
        return next(self._parts).encode("utf-8", "surrogateescape")

    def _decoded(self, raw: bytes) -> str:
        try:
            return raw.decode()
        except UnicodeDecodeError as wrong:
            self.problem = self.problem or not_utf8(raw, wrong.start, f"line {self.number + 1:,}")
            return raw.decode("utf-8", "surrogateescape")


def _next_row(table: Any, text: _Text) -> list[str] | Unread | None:
    """The next row, [] for a blank line; None at the end."""
    text.start_row()
    try:
        row: list[str] | None = next(table, None)
    except csv.Error as problem:
        return text.problem or Unread("csv", f"the row is not CSV: {problem}", "Write the table with a CSV library.")
    if row is not None and text.ended:
        return text.problem or _UNCLOSED
    return row if row is None else text.problem or row


def _cells(header: list[str], row: list[str]) -> JsonObject | Unread:
    if len(row) > MAX_COLUMNS:
        return _too_wide(row)
    cells: JsonObject = {key: cell for key, cell in zip(header, row, strict=False) if cell}
    if len(row) > len(header):
        cells[BEYOND] = row[len(header) : len(header) + _BEYOND_KEPT]
    try:
        return {key: _cell(key, cell, cells) for key, cell in cells.items()}
    except OverflowError:
        return TOO_MANY_VALUES


def _cell(key: str, cell: Any, cells: JsonObject) -> Any:
    """The cell, decoded where it holds JSON. Raises `OverflowError` where that has too many values."""
    may_be_json = key in _HOLDS_JSON or (key == "input" and "preferred_output" in cells)
    if not may_be_json or not isinstance(cell, str) or cell[0] not in "[{":
        return cell
    if len(cell) > _LONG and has_too_many_values(cell.encode()):
        raise OverflowError
    try:
        return msgspec.json.decode(cell)
    except (msgspec.MsgspecError, RecursionError):
        return cell


def _too_wide(row: list[str]) -> Unread:
    message = f"the row has {counted(len(row), 'cell')}, and no table that can be read has more than {MAX_COLUMNS:,}"
    return Unread("too_many_cells", message, "Keep the columns that hold the examples.")
