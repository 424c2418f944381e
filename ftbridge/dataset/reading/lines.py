"""A file as numbered lines, decompressed where needed, in constant memory."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO, Protocol, TypeAlias

from msgspec import Struct

from ftbridge.errors import InputError
from ftbridge.wording import printable

MAX_LINE = 32 * 2**20
MAX_VALUES = 500_000
READ_ERRORS = (OSError, EOFError, zlib.error)
"""What is raised where a file cannot be read any further."""

_SMALL = 2**20  # what a line of so many bytes becomes in memory is bounded
_ENDLESS = 2**30
_BUFFER = 2**18
BOM = b"\xef\xbb\xbf"
_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)


class HasLines(Protocol):
    """What has lines as a file has."""

    def readline(self, size: int, /) -> bytes:
        """The next line, or `size` bytes of it; none at the end."""
        ...


class Unread(Struct, frozen=True):
    """What stands for a line or row that is not read: the code, the message and the fix of the finding about it."""

    code: str
    message: str
    fix: str


Line: TypeAlias = bytes | Unread

TOO_LONG = Unread("line_too_long", f"the line is longer than {MAX_LINE >> 20} MB", "Shorten the example.")
TOO_MANY_VALUES = Unread(
    "too_many_values", f"the row has more than {MAX_VALUES:,} values", "Divide it into several examples."
)


def lines(file: BinaryIO, limit: int = MAX_LINE, *, skip_bom: bool = True) -> Iterator[tuple[int, Line]]:
    """Every line with its number, from 1, as it is in the file with its line end.

    A byte order mark before the first line is left out, if `skip_bom`. A line of more than `limit` bytes, or with
    more than `MAX_VALUES` values, is `Unread`; reading continues with the next one. Raises `InputError`
    where the file cannot be read any further.
    """
    number = 0
    try:
        start = file.readline(limit + 1)
        first = start.removeprefix(BOM) if skip_bom else start
        if first:
            number = 1
            yield 1, _bounded(file, first, limit, 1)
        for line in enumerate(iter(partial(file.readline, limit + 1), b""), 2):
            number, raw = line
            yield line if len(raw) <= _SMALL else (number, _bounded(file, raw, limit, number))
    except READ_ERRORS as problem:
        raise cannot_read(number, problem) from None


def cannot_read(line: int, problem: Exception) -> InputError:
    """The error for a file of which nothing can be read after `line`; 0 if nothing at all."""
    beyond = f" beyond line {line:,}" if line else ""
    reason = printable(str(problem), 200)
    hint = "It may be damaged or truncated; create or download it again."
    return InputError(f"the file cannot be read{beyond}: {reason}", hint=hint)


def skip_line(file: HasLines, start: bytes, number: int) -> None:
    """Read on to the end of the line that begins with `start`. Raises `InputError` where it never seems to end."""
    size = len(start)
    while start and not start.endswith(b"\n"):
        start = file.readline(_BUFFER)
        size += len(start)
        if size > _ENDLESS:
            message = f"line {number:,} does not end within {_ENDLESS >> 30} GB, so the file is not a dataset"
            raise InputError(message, hint="Write one example per line.")


def _bounded(file: BinaryIO, raw: bytes, limit: int, number: int) -> Line:
    """The line itself, unless it is too long, or would take too much memory once it is read."""
    if len(raw) > limit:
        skip_line(file, raw, number)
        return TOO_LONG
    return TOO_MANY_VALUES if has_too_many_values(raw) else raw


def has_too_many_values(raw: bytes) -> bool:
    """Whether some JSON has more values than are read: in memory each may take a hundred times its bytes."""
    if len(raw) <= _SMALL or (count := _values(raw, 0, len(raw))) <= MAX_VALUES:
        return False
    for texts, text in enumerate(_TEXT.finditer(raw)):  # what is in a text is no value
        count -= _values(raw, *text.span())
        if count <= MAX_VALUES:
            return False
        if texts > 2 * MAX_VALUES:
            break
    return True


def not_utf8(raw: bytes, index: int, where: str) -> Unread:
    """The byte at `index` of a line, which is called `where`, does not belong to UTF-8."""
    return Unread(
        "not_utf8",
        f"byte {index + 1} of {where} (0x{raw[index]:02x}) is not UTF-8",
        "Save the file as UTF-8; for a Western Windows file: iconv -f WINDOWS-1252 -t UTF-8.",
    )


def _values(raw: bytes, start: int, end: int) -> int:
    """About how many values there are, if none of these characters is in a text."""
    return sum(raw.count(mark, start, end) for mark in (b",", b"[", b"{"))
