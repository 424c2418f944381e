"""Where a row of CSV has a quote that is not closed, even if a later quote seems to close it.

A quote that opens a cell and is never closed runs on to the next quote of the file, which opens a cell of a later row.
What follows that quote tells: behind a quote that closes a cell there is a separator or the end of the line (RFC 4180,
section 2). Where the later cell happens to begin with a separator or a line break, so that this is true, the quote at
its end is left over: it ends a cell that is not quoted. A valid table has neither.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_QUOTED = re.compile(rb'"(?:[^"]++|"")*+"')


class Quotes(NamedTuple):
    """What the quotes of a row tell: the index of one that `is_open`, or of one that `may_be_open`.

    It may be open if the quote that closes it stands where one would open a cell. `left_over` tells of a quote at the
    end of a cell that is not quoted, before any cell that is; `quoted` of a cell that is quoted as it should be.
    """

    is_open: int | None = None
    may_be_open: int | None = None
    left_over: bool = False
    quoted: bool = False


def quotes_of(row: bytes, separator: bytes) -> Quotes:
    """Look at a row with all its lines; `separator` is one byte."""
    unquoted = re.compile(rb"[^\r\n" + re.escape(separator) + rb"]*+")
    at, doubtful, over_lines, left_over, quoted = 0, None, None, False, False
    while at < len(row) and row[at : at + 1] not in (b"\r", b"\n"):
        if row[at : at + 1] == b'"':
            found = _QUOTED.match(row, at)
            if found is None or row[found.end() : found.end() + 1] not in (separator, b"\r", b"\n", b""):
                return Quotes(is_open=at)
            cell = found.group()
            quoted = True
            if b"\n" in cell or b"\r" in cell:
                over_lines = at
                if cell[-2:-1] in (separator, b"\r", b"\n"):
                    doubtful = at
        else:
            found = unquoted.match(row, at)
            assert found is not None  # it matches nothing as well
            if found.group().endswith(b'"'):
                if over_lines is not None:
                    return Quotes(is_open=over_lines)
                left_over = left_over or not quoted
        at = found.end() + 1 if row[found.end() : found.end() + 1] == separator else len(row)
    return Quotes(may_be_open=doubtful, left_over=left_over, quoted=quoted)
