"""Rows from Parquet, a few at a time; what would become far larger than its file is refused before it is read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ftbridge.dataset.formats.base import JsonObject
from ftbridge.dataset.reading.lines import MAX_LINE, MAX_VALUES, TOO_LONG, TOO_MANY_VALUES, Unread
from ftbridge.dataset.reading.tables.cells import repeated_column
from ftbridge.dataset.reading.tables.parquet_limits import (
    check_metadata,
    open_parquet,
    refuse_swollen,
    rows_at_once,
    weight,
)
from ftbridge.errors import FtbridgeError, InputError
from ftbridge.wording import printable


def parquet_rows(path: Path) -> Iterator[tuple[int, JsonObject | Unread]]:
    """The rows with their numbers, from 1. Values that are null are left out, at any depth.

    A row that cannot be read is `Unread`. Raises `MissingExtra` without pyarrow and `InputError` for what is not a
    valid Parquet file, or becomes far larger than it is.
    """
    number = 1
    try:
        plain, file = open_parquet(path)
        with file:
            check_metadata(path, file.metadata)
            if twice := repeated_column(plain.names):
                yield number, twice
                return
            decoded = 0
            for group in range(file.num_row_groups):
                size = rows_at_once(file.metadata.row_group(group))
                for batch in file.iter_batches(batch_size=size, row_groups=[group], use_threads=False):
                    values, length = weight(batch)
                    decoded += length
                    refuse_swollen(path, decoded)
                    for row in _rows(batch, plain, small=values <= MAX_VALUES and length <= MAX_LINE):
                        yield number, row
                        number += 1
    except FtbridgeError:
        raise
    except Exception as problem:  # what pyarrow raises for a damaged file is of many classes
        raise InputError(
            f"{printable(str(path), 200)} cannot be read as Parquet: {printable(str(problem), 200)}",
            hint="It may be damaged, or in another format.",
        ) from None


def _rows(batch: Any, plain: Any, *, small: bool) -> Iterator[JsonObject | Unread]:
    """The rows of a batch: all at once where they are `small` and every value has a form in Python.

    `plain` is the schema of the batch without dictionaries.
    """
    if small:
        try:
            rows = batch.cast(plain).to_pylist(**_as_objects(plain))  # from dictionaries it takes ten times as long
        except Exception:  # each row is then tried for itself
            rows = []
        if rows:
            yield from map(_without_nulls, rows)
            return
    for index in range(batch.num_rows):
        yield _row(batch.slice(index, 1), small=small)


def _row(row: Any, *, small: bool) -> JsonObject | Unread:
    """A batch of one row as an object, unless it is too large or one of its values has no form in Python."""
    if not small:
        values, length = weight(row)
        if length > MAX_LINE:
            return TOO_LONG
        if values > MAX_VALUES:
            return TOO_MANY_VALUES
    cells: JsonObject = {}
    for name, column in zip(row.schema.names, row.columns, strict=True):
        try:
            [value] = column.to_pylist(**_as_objects(column.type))
        except UnicodeDecodeError:
            message = f"the text in the column '{printable(name)}' is not UTF-8"
            return Unread("not_utf8", message, "Write the file again, with UTF-8 text.")
        except Exception as problem:  # dates out of range, keys of a map that are repeated, …
            message = f"the value in the column '{printable(name)}' cannot be read: {printable(str(problem), 200)}"
            return Unread("unreadable", message, "Write the column as text, or leave it out.")
        if value is not None:
            cells[name] = _without_nulls(value)
    return cells


def _as_objects(kind: Any) -> dict[str, str]:
    """The options by which maps become objects; where there are none, to ask for it takes ten times as long."""
    return {"maps_as_pydicts": "strict"} if "map<" in str(kind) else {}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
