"""Rows that a program has in memory: a list, an iterable, a DataFrame, a `datasets.Dataset`; written as JSON Lines.

Frames are known by their methods, so that no package of theirs is imported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from ftbridge.dataset.formats.base import JsonObject
from ftbridge.dataset.reading.tables.cells import with_lists
from ftbridge.errors import InputError, UsageError
from ftbridge.files import open_private
from ftbridge.wording import json_path, printable

_MISSING = ("NAType", "NaTType")  # of pandas


def write_rows(data: Iterable[Any], file: Path) -> None:
    """Write the rows to `file`, which is its owner's alone. In frames what is null or not a number is left out.

    Raises `UsageError` for what has no rows, and `InputError` for a row that has a value without a form in JSON, bytes
    among them: only those of an image, `{"bytes": …}`, have one.
    """
    encode = msgspec.json.Encoder(enc_hook=_plain).encode
    with open_private(file, "wb") as out:
        for number, row in enumerate(_rows(data), 1):
            try:
                _refuse_bytes(row, number)
                out.write(encode(row) + b"\n")
            except (TypeError, ValueError, RecursionError) as problem:  # ValueError: half a surrogate pair
                raise InputError(
                    f"row {number:,} cannot be written as JSON: {printable(str(problem), 200)}",
                    hint="Give texts, numbers, lists and mappings.",
                ) from None


def _refuse_bytes(row: Any, number: int) -> None:
    path = next(_bytes_in(row, ()), None)
    if path is not None:
        raise InputError(
            f"row {number:,}, {json_path(path)}: these are bytes, and JSON has texts",
            hint='Decode them: value.decode("utf-8"). The bytes of an image are given as {"bytes": value}.',
        )


def _bytes_in(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, bytes | bytearray | memoryview):
        yield path
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if not (key == "bytes" and isinstance(item, bytes)):
                yield from _bytes_in(item, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _bytes_in(item, (*path, index))


def _rows(data: Any) -> Iterator[Any]:
    if hasattr(data, "iter_rows"):  # polars
        return _cells(data.iter_rows(named=True))
    if hasattr(data, "itertuples"):  # pandas
        names = list(data.columns)
        return _cells(dict(zip(names, row, strict=True)) for row in data.itertuples(index=False, name=None))
    if hasattr(data, "to_batches"):  # Arrow
        return _cells(row for batch in data.to_batches() for row in batch.to_pylist())
    if isinstance(data, Mapping):
        keys = ", ".join(f"'{printable(str(key), 30)}'" for key in list(data)[:5])
        raise UsageError(
            f"a mapping is given instead of rows; its keys are {keys}",
            hint="Give a list of rows; of a DatasetDict give one split, such as data['train'].",
        )
    try:
        return iter(data)
    except TypeError:
        what = type(data).__name__
        raise UsageError(f"a {what} has no rows", hint="Give a path, or rows as mappings.") from None


def _cells(rows: Iterable[JsonObject]) -> Iterator[Any]:
    """The rows of a frame as those of any table."""
    present = (
        (0, {str(key): cell for key, cell in row.items() if not _is_missing(cell)})  # the numbers are not used
        for row in rows
    )
    return (row if isinstance(row, dict) else None for _, row in with_lists(present))


def _is_missing(cell: Any) -> bool:
    return cell is None or type(cell).__name__ in _MISSING or (isinstance(cell, float) and cell != cell)


def _plain(value: Any) -> Any:
    """A value of another package as JSON has it: an array as a list, a model as an object."""
    if hasattr(value, "model_dump"):  # pydantic
        return value.model_dump(mode="json")
    if hasattr(value, "tolist"):  # numpy
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"it has a value of the type {type(value).__name__}")
