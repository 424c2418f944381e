"""The rows of a JSON array, or of JSON values that are laid out over several lines, one at a time.

Own code, because readers of JSON streams build a value from events: they have neither the bytes of a row nor its line,
and the first mistake is the end of them. Here the end of each row is found by its brackets alone, and the row is then
read, or diagnosed, as a line would be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from ftbridge.dataset.reading.lines import (
    BOM,
    MAX_LINE,
    READ_ERRORS,
    TOO_MANY_VALUES,
    Line,
    Unread,
    cannot_read,
    has_too_many_values,
)
from ftbridge.errors import InputError

_CHUNK = 2**18
_TEXT = rb'"(?:[^"\\\n]++|\\[^\n])*+"'
_BROKEN_TEXT = re.compile(rb'"(?:[^"\\\n]++|\\[^\n])*+\\?\n')
_BETWEEN = re.compile(rb"[\s,]*+")
_SCALAR = re.compile(rb"(?:" + _TEXT + rb'|[^",\]\s])*+')
_TO_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|' + _TEXT + rb")*+")
_NO_COMMA = Unread(
    "json", "there is not one comma between this row and the one before", "Write the array with a JSON library."
)
_COMMA = Unread(
    "json", "there is a comma before this row, and no array around the rows", "Put all rows between [ and ]."
)


def json_rows(file: BinaryIO) -> Iterator[tuple[int, Line]]:
    """Every row on a line of its own, and the line of the file that it begins on.

    Of several rows that begin on the same line, as in an array on one line, the number is that of the row before and
    one more. Raises `InputError` where the file cannot be read any further: where a bracket or a text is not closed, so
    that the rows after it are not known either, and for a row of more than 32 MB.
    """
    text = _Text(file)
    try:
        yield from _rows(text)
    except READ_ERRORS as problem:
        raise cannot_read(text.line, problem) from None


def _rows(text: _Text) -> Iterator[tuple[int, Line]]:
    between = text.take(_BETWEEN)
    is_array = text.peek() == b"["
    if is_array:
        text.skip_byte()
        between = text.take(_BETWEEN)
    number, wanted = 0, 0  # commas before the next row
    while (start := text.peek()) and not (is_array and start == b"]"):
        if between.count(b",") != wanted:
            number = max(text.line, number + 1)
            yield number, _NO_COMMA if is_array else _COMMA
        number = max(text.line, number + 1)
        yield number, _bounded(text.row())
        between, wanted = text.take(_BETWEEN), int(is_array)
    if is_array and not start:
        raise EOFError("the array is not closed")
    if is_array:
        text.skip_byte()
        text.take(_BETWEEN)
        if text.peek():
            raise EOFError("there is more after the end of the array")


def _bounded(raw: bytes) -> Line:
    if has_too_many_values(raw):
        return TOO_MANY_VALUES
    if b"\n" not in raw:
        return raw + b"\n"
    try:
        return msgspec.json.format(raw, indent=-1) + b"\n"
    except (msgspec.MsgspecError, RecursionError):
        return raw  # in which the reader finds the same


class _Text:
    """The bytes of a file that are not taken yet, and the line that they begin on."""

    def __init__(self, file: BinaryIO) -> None:
        self.line = 1
        self._file = file
        self._buffer = file.read(_CHUNK).removeprefix(BOM)
        self._at = 0

    def peek(self) -> bytes:
        """The next byte; none at the end."""
        if self._at == len(self._buffer):
            self._read_more()
        return self._buffer[self._at : self._at + 1]

    def skip_byte(self) -> None:
        """Go on behind the next byte."""
        self._at += 1

    def take(self, what: re.Pattern[bytes]) -> bytes:
        """All that the pattern matches from here on."""
        return self._taken(self._end_of(what, self._at))

    def row(self) -> bytes:
        """The value that begins here: an object or a list up to the bracket that closes it."""
        if self.peek() not in (b"[", b"{"):
            return self.take(_SCALAR) or self._taken(self._at + 1)
        length = depth = 0
        while True:
            end = self._end_of(_TO_BRACKET, self._at + length)
            length = end - self._at + 1
            bracket = self._buffer[end : end + 1]
            if not bracket:
                raise EOFError("the row is not closed")
            depth += 1 if bracket in b"[{" else -1
            if depth == 0:
                return self._taken(end + 1)

    def _end_of(self, what: re.Pattern[bytes], start: int) -> int:
        """Where the match from `start` ends, as an index of the buffer, into which what is needed is read."""
        while True:
            found = what.match(self._buffer, start)
            assert found is not None  # the patterns match nothing as well
            end = found.end()
            in_text = what is not _BETWEEN and self._buffer[end : end + 1] == b'"'
            if end < len(self._buffer) and not in_text:
                return end
            if in_text and _BROKEN_TEXT.match(self._buffer, end):
                self._taken(end)
                raise EOFError("a text is not closed on this line")
            start = end - self._at
            if not self._read_more():
                if in_text:
                    self._taken(start)
                    raise EOFError("a text is not closed")
                return len(self._buffer)

    def _taken(self, end: int) -> bytes:
        taken = self._buffer[self._at : end]
        if len(taken) > MAX_LINE:
            raise self._too_long()
        self.line += taken.count(b"\n")
        self._at = end
        return taken

    def _read_more(self) -> bool:
        """Forget what was taken, and read as much again as is held; whether there was more."""
        held = self._buffer[self._at :]
        if len(held) > MAX_LINE:
            raise self._too_long()
        more = self._file.read(max(_CHUNK, len(held)))
        self._buffer, self._at = held + more, 0
        return bool(more)

    def _too_long(self) -> InputError:
        message = f"the row that begins on line {self.line:,} is longer than {MAX_LINE >> 20} MB"
        return InputError(message, hint="Shorten it; the rows after it are not read.")
