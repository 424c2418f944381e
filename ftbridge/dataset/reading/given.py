"""What people give as a dataset, as a file that can be read as often as is needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

from ftbridge.dataset.data_file import Data, DataFile, columns_of, data_file
from ftbridge.dataset.reading.elsewhere import copy_here, endings, is_url
from ftbridge.dataset.reading.given_rows import write_rows
from ftbridge.dataset.reading.on_disk import copy_of
from ftbridge.dataset.reading.opening import open_file
from ftbridge.home import temporary_folder, usable

Given: TypeAlias = Data | Iterable[Any]
"""A path or a URL, or rows: mappings, a DataFrame of pandas or polars, a `datasets.Dataset`, an Arrow table."""

ROWS = "the rows given"
"""The name under which rows are reported that are in no file."""


def check_command(data: Data, *options: str) -> str:
    """What lists all that is wrong with `data`, read as it was here."""
    if str(data) == ROWS:
        return "`Bridge.check`"
    file = "FILE" if str(data) == "-" else str(data)
    columns = [f"--map {old}={new}" for old, new in columns_of(data)]
    return f"`{' '.join(['ftbridge check', file, *options, *columns])}`"


@contextmanager
def given(data: Given, home: Path, columns: Mapping[str, str] | None = None, *, often: bool = False) -> Iterator[Data]:
    """The file to be read, its columns mapped; what is elsewhere, or must be read `often` from a pipe, is copied.

    Copies, and rows that are in no file, are in a private folder of the home until the block ends. Raises `UsageError`,
    `InputError` and `MissingExtra` as `write_rows`, `data_file`, `copy_here` and `open_file` do.
    """
    elsewhere = is_url(data)
    if isinstance(data, str | PathLike) and not elsewhere and not (often and not Path(data).is_file()):
        yield data_file(data, columns)
        return
    with temporary_folder(home) as folder:
        if isinstance(data, str) and elsewhere:
            file = folder / f"data{endings(data)}"
            with usable(home):
                copy_here(data, file)
            yield data_file(DataFile(str(file), (), data), columns)
        elif isinstance(data, str | PathLike):
            file = folder / f"data{Path(data).suffix}"
            with open_file(data) as content, usable(home):
                copy_of(content, file)
            yield data_file(DataFile(str(file), (), str(data)), columns)
        else:
            file = folder / "rows.jsonl"
            with usable(home):
                write_rows(data, file)
            yield data_file(DataFile(str(file), (), ROWS), columns)
