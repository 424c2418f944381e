"""What the cells of a table hold: a text, but for those that must be a list or an object, which hold it as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any

import msgspec

from ftbridge.dataset.formats.base import JsonObject
from ftbridge.dataset.reading.lines import TOO_MANY_VALUES, Line, Unread, has_too_many_values
from ftbridge.dataset.reading.nesting import is_too_deep
from ftbridge.wording import counted, printable

BLANK = b"\n"
"""What stands for a row without any cell."""

_LONG = 2**18
_SHOWN = 30  # characters of a cell
BEYOND = "beyond the header"
_NEVER_TEXT = {
    *("messages", "tools", "functions", "conversations", "conversation", "interactions", "contents"),
    *("systemInstruction", "system_instruction", "completions", "history", "reference"),
    *("preferred_output", "non_preferred_output"),
}
_TEXT_OR_MESSAGES = {"prompt", "completion", "chosen", "rejected"}
_SPEAKER = ("role", "from")
_TRUTHS = {"true": True, "false": False}
_UNREADABLE = (msgspec.MsgspecError, RecursionError)


def repeated_column(header: Iterable[str]) -> Unread | None:
    """What is wrong with a header in which two columns have one name: a row has room for one of them."""
    seen: set[str] = set()
    for name in filter(None, header):
        if name in seen:
            message = f"two columns have the name '{printable(name)}'"
            return Unread(
                "repeated_column", message, "Name them differently, and leave out what is not meant with --map."
            )
        seen.add(name)
    return None


def by_column(header: Sequence[str], row: Sequence[str]) -> JsonObject:
    """The cells that are not empty, by the names of their columns.

    The first column may have no name, as where pandas has written the numbers of the rows. Another cell that has none
    may be the rest of the cell before it: `BEYOND` is then why the row is not read.
    """
    cells = {key: cell for key, cell in zip(header, row, strict=False) if cell and key}
    if len(cells) < len(row) - row.count(""):
        if row[0] and not header[0]:
            cells[""] = row[0]
        pairs = enumerate(zip_longest(header[: len(row)], row, fillvalue=""))
        beyond = next((index for index, (key, cell) in pairs if index and cell.strip() and not key), None)
        if beyond is not None:
            cells[BEYOND] = _beyond(beyond, header, row)  # type: ignore[assignment]  # the only one that is no text
    return cells


def without_beyond(rows: Iterable[tuple[int, JsonObject | Line]]) -> Iterator[tuple[int, JsonObject | Line]]:
    """The rows of a table, those with `BEYOND` as what that is; until the format is known their columns count."""
    for number, row in rows:
        yield number, row.get(BEYOND, row) if isinstance(row, dict) else row


def _beyond(index: int, header: Sequence[str], row: Sequence[str]) -> Unread:
    cell = printable(row[index], _SHOWN)
    if index < len(header):
        message = f"the cell '{cell}' is in column {index + 1}, which has no name in the header"
        return Unread("beyond_header", message, "Name the column in the header, or remove it.")
    columns = counted(len(header), "column")
    message = f"the row has {counted(len(row), 'cell')}, and the header {columns}: '{cell}' is beyond them"
    fix = "Enclose a cell in quotes where it has the sign that separates cells, or name all columns in the header."
    return Unread("beyond_header", message, fix)


def with_lists(rows: Iterable[tuple[int, JsonObject | Line]]) -> Iterator[tuple[int, JsonObject | Line]]:
    """The rows of a table, with what they hold as JSON decoded where that cannot be meant as text."""
    for number, row in rows:
        yield number, _decoded(row) if isinstance(row, dict) else row


def _decoded(row: JsonObject) -> JsonObject | Unread:
    for key, cell in row.items():
        if key == "parallel_tool_calls" and isinstance(cell, str):
            row[key] = _TRUTHS.get(cell.lower(), cell)
        elif isinstance(cell, str) and cell[:1] in ("[", "{") and (kind := _kind(key, row)):
            if len(cell) > _LONG and has_too_many_values(cell.encode()):
                return TOO_MANY_VALUES
            value = _json(cell)
            if value is not None and (kind is _NEVER_TEXT or _are_messages(value)):
                row[key] = value  # the key is there already, so that the loop goes on
    return row


def _kind(key: str, row: JsonObject) -> set[str] | None:
    if key in _NEVER_TEXT or (key == "input" and "preferred_output" in row):
        return _NEVER_TEXT
    return _TEXT_OR_MESSAGES if key in _TEXT_OR_MESSAGES else None


def _json(cell: str) -> Any:
    raw = cell.encode()
    try:
        return None if is_too_deep(raw) else msgspec.json.decode(raw)
    except _UNREADABLE:
        return None


def _are_messages(value: Any) -> bool:
    """Whether it is a list of messages: each an object that says who speaks."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, dict) and any(key in one for key in _SPEAKER) for one in value)
    )
