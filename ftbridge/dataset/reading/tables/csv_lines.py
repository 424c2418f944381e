"""The lines of a CSV file, as the standard library's reader wants them, with the bytes of the present row."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from ftbridge.dataset.reading.lines import BOM, Unread, not_utf8, skip_line

MAX_ROW = 16 * 2**20  # bytes; the reader of the standard library holds a row several times over
TOO_LONG = Unread("line_too_long", f"the row is longer than {MAX_ROW >> 20} MB", "Shorten it, or close its quotes.")
_LINE_END = re.compile(rb"\r\n?|\n")


class CsvLines:
    """An iterator over lines of text; where a row goes wrong, one can go back in it.

    `number` is that of the last line, `row_starts` that of the first line of the row, and `problem` says what is wrong
    with the row. Raises `csv.Error` where the row is too long.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.number = 0
        self.row_starts = 1
        self.row = bytearray()
        self.problem: Unread | None = None
        self._bytes = _Stack(file)
        self._parts: Iterator[bytes] = iter(())

    def start_row(self) -> None:
        """Forget the row before."""
        self.row_starts, self.problem = self.number + 1, None
        self.row.clear()

    @property
    def row_is_long(self) -> bool:
        """Whether the row goes over several lines."""
        return self.number > self.row_starts

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._parts, None) or self._next_line()
        self.row += line
        self.number += 1
        if len(self.row) > MAX_ROW:
            self.problem = TOO_LONG
            raise csv.Error
        try:
            return line.decode()
        except UnicodeDecodeError as wrong:
            self.problem = self.problem or not_utf8(line, wrong.start, f"line {self.number:,}")
            return line.decode("utf-8", "surrogateescape")

    def line_at(self, index: int) -> int:
        """The line of the byte at `index` of the row."""
        before = self.row[:index]
        return self.row_starts + before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n")

    def go_back(self, index: int) -> None:
        """Let the line after that of the byte at `index` of the row be the next one."""
        end = _LINE_END.search(self.row, index)
        rest = self.row[end.end() if end else len(self.row) :]
        self.number = self.line_at(index)
        self._bytes.push(bytes(rest) + b"".join(self._parts))

    def skip_line(self) -> None:
        """Leave out what is left of the line."""
        skip_line(self._bytes, bytes(self.row[-2:]), self.number)

    def _next_line(self) -> bytes:
        line = self._bytes.readline(MAX_ROW - len(self.row) + 1)
        if not line:
            raise StopIteration
        if self.number == 0:
            line = line.removeprefix(BOM)
        if b"\r" not in line[:-2]:
            return line
        self._parts = iter(_parts(line))
        return next(self._parts)


def _parts(line: bytes) -> list[bytes]:
    """The line divided where it has a carriage return alone, which old programs end lines with."""
    return line.splitlines(keepends=True)


class _Stack:
    """A file, before which other bytes can be put."""

    def __init__(self, file: BinaryIO) -> None:
        self._files = [file]

    def push(self, data: bytes) -> None:
        """Let these bytes come first."""
        self._files.append(io.BytesIO(data))

    def readline(self, size: int) -> bytes:
        """The next line, or `size` bytes of it; none at the end."""
        line = self._files[-1].readline(size)
        while len(self._files) > 1 and len(line) < size and not line.endswith(b"\n"):
            self._files.pop()
            line += self._files[-1].readline(size - len(line))
        return line
