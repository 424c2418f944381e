"""Rows whose columns, or keys, have other names than those of the formats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ftbridge.dataset.canonical.without_meaning import UNUSED
from ftbridge.dataset.formats.base import JsonObject
from ftbridge.dataset.reading.lines import Line, Unread
from ftbridge.dataset.reading.syntax import UNREADABLE, decode_line
from ftbridge.errors import UsageError
from ftbridge.wording import did_you_mean, printable

_SHOWN, _COMPARED = 8, 100  # names of columns


def renamed(
    rows: Iterable[tuple[int, JsonObject | Line]], columns: Mapping[str, str]
) -> Iterator[tuple[int, JsonObject | Line]]:
    """The rows, each of `columns` under its new name, without those named `unused`. What is no object stays as it is.

    A row that has a column of the new name already is `Unread`. Raises `UsageError` at the end of the rows where one of
    `columns` has nothing in any of them.
    """
    missing, known = set(columns), dict[str, None]()
    for number, row in rows:
        cells = _object(row)
        if cells is None:
            yield number, row
            continue
        if missing:
            missing -= cells.keys()
            known |= dict.fromkeys(cells) if len(known) < _COMPARED else {}
        yield number, _renamed(cells, columns)
    if missing and known:
        raise no_such_column(min(missing), known)


def no_such_column(name: str, known: Iterable[str]) -> UsageError:
    """The error for a column that no row has; `known` are others."""
    known = list(known)
    names = ", ".join(f"'{printable(key, 30)}'" for key in known[:_SHOWN])
    return UsageError(
        f"no row has anything under '{printable(name)}', which --map names",
        hint=f"{did_you_mean(name, known)}The rows have {names}.",
    )


def _object(row: JsonObject | Line) -> JsonObject | None:
    if not isinstance(row, bytes):
        return row if isinstance(row, dict) else None
    try:
        value = decode_line(row)
    except UNREADABLE:  # the reader finds the same, and says so
        return None
    return value if isinstance(value, dict) else None


def _renamed(cells: JsonObject, columns: Mapping[str, str]) -> JsonObject | Unread:
    kept = {key: value for key, value in cells.items() if columns.get(key) != UNUSED}
    made = {columns.get(key, key): value for key, value in kept.items()}
    if len(made) == len(kept):
        return made
    twice = next(name for old, name in columns.items() if old in cells and name in cells and name not in columns)
    message = f"the row has '{printable(twice)}' already, and --map gives another column that name"
    return Unread("mapped_twice", message, f"Map that one as well: --map {printable(twice)}={UNUSED}.")
