"""Rows from tables: CSV and Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from ftbridge.dataset.formats.base import JsonObject
from ftbridge.dataset.reading.lines import MAX_LINE, READ_ERRORS, cannot_read
from ftbridge.errors import InputError, MissingExtra
from ftbridge.wording import printable

BEYOND = "beyond the header"
"""The key of the cells for which there is no column."""

_HOLDS_JSON = {
    *("messages", "tools", "conversations", "conversation", "interactions", "contents", "systemInstruction"),
    *("preferred_output", "non_preferred_output", "prompt", "completion", "chosen", "rejected", "history"),
}


def csv_rows(file: BinaryIO, separator: str = ",") -> Iterator[tuple[int, JsonObject | bytes | None]]:
    """The rows under the header, each with the number of the line that it begins on.

    Empty cells are left out. A cell that holds JSON where a format has more than text
    is read as JSON. A row that is not UTF-8 is yielded as its bytes, and one that is longer than
    a line may be as None. Raises `InputError` where the file cannot be read any further.
    """
    csv.field_size_limit(MAX_LINE)  # one setting for the process; nothing else here reads CSV
    text = io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")
    table = csv.DictReader(text, restkey=BEYOND, delimiter=separator)
    while True:
        number = table.line_num + 1
        try:
            row = next(table, None)
        except csv.Error:
            yield number, None
            continue
        except READ_ERRORS as problem:
            raise cannot_read(table.line_num, problem) from None
        if row is None:
            text.detach()
            return
        cells = {key: cell for key, cell in row.items() if cell}
        whole = ",".join(map(str, (*cells, *cells.values())))
        try:
            whole.encode()
        except UnicodeEncodeError:
            yield number, whole.encode(errors="surrogateescape")
        else:
            yield max(number, 2), {key: _cell(key, cell, cells) for key, cell in cells.items()}


def parquet_rows(path: Path) -> Iterator[tuple[int, JsonObject]]:
    """The rows with their numbers, from 1. JsonObject that are null are left out, at any depth.

    Raises `MissingExtra` without pyarrow and `InputError` for what is not a valid Parquet file.
    """
    try:
        import pyarrow as arrow  # type: ignore[import-not-found,import-untyped,unused-ignore]  # an extra
        import pyarrow.parquet as parquet  # type: ignore[import-not-found,import-untyped,unused-ignore]  # likewise
    except ImportError:
        raise MissingExtra(
            "reading Parquet needs the package pyarrow",
            hint="pip install 'ftbridge[parquet]', or export to JSON Lines.",
        ) from None
    number = 1
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=500):
                for row in batch.to_pylist():
                    yield number, _without_nulls(row)
                    number += 1
    except (arrow.ArrowException, OSError) as problem:
        raise InputError(
            f"{printable(str(path), 200)} cannot be read as Parquet: {printable(str(problem), 200)}",
            hint="It may be damaged, or in another format.",
        ) from None


def _cell(key: str, cell: Any, cells: JsonObject) -> Any:
    may_be_json = key in _HOLDS_JSON or (key == "input" and "preferred_output" in cells)
    if not may_be_json or not isinstance(cell, str) or cell[0] not in "[{":
        return cell
    try:
        return msgspec.json.decode(cell)
    except (msgspec.MsgspecError, RecursionError):
        return cell


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
