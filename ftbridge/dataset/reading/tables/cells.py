"""What the cells of a table hold: a text, but for those that must be a list or an object, which hold it as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any

import msgspec

from ftbridge.dataset.canonical.without_meaning import BEYOND
from ftbridge.dataset.formats.base import JsonObject
from ftbridge.dataset.reading.lines import TOO_MANY_VALUES, Line, Unread, has_too_many_values
from ftbridge.dataset.reading.nesting import is_too_deep
from ftbridge.wording import printable

BLANK = b"\n"
"""What stands for a row without any cell."""

_LONG = 2**18
_BEYOND_KEPT = 100  # cells without a column
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

    The first column may have no name, as where pandas has written the numbers of the rows.
    """
    cells = {key: cell for key, cell in zip(header, row, strict=False) if cell and key}
    if len(cells) < len(row) - row.count(""):
        if row[0] and not header[0]:
            cells[""] = row[0]
        pairs = list(zip_longest(header[: len(row)], row, fillvalue=""))[1:]
        beyond = [cell for key, cell in pairs if cell.strip() and not key]
        if beyond:
            cells[BEYOND] = beyond[:_BEYOND_KEPT]  # type: ignore[assignment]  # the only list
    return cells


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
