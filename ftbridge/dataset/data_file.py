"""A file of a dataset that is more than its path: which columns have other names, and what people call it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from os import PathLike
from typing import TypeAlias

from msgspec import Struct

from ftbridge.dataset.canonical.without_meaning import UNUSED
from ftbridge.errors import UsageError
from ftbridge.wording import printable

Data: TypeAlias = str | PathLike[str]
"""A path, or `DataFile`; - is standard input."""


class DataFile(Struct, frozen=True):
    """A path, the `columns` whose rows are to be read under another name, and the name shown for the path."""

    path: str
    columns: tuple[tuple[str, str], ...] = ()
    name: str = ""

    def __fspath__(self) -> str:
        return self.path

    def __str__(self) -> str:
        return self.name or self.path


def data_file(data: Data, columns: Mapping[str, str] | None) -> Data:
    """`data` with the names of its columns, {the file's: the format's}; those named `unused` are left out.

    Raises `UsageError` where two become one.
    """
    if not columns:
        return data
    targets = list(columns.values())
    twice = next((name for name in targets if targets.count(name) > 1 and name != UNUSED), None)
    if twice is not None:
        raise UsageError(f"two columns are mapped to '{printable(twice)}'", hint="Map one column to each name.")
    return DataFile(os.fspath(data), tuple(columns.items()), str(data))


def columns_of(data: Data) -> tuple[tuple[str, str], ...]:
    """The names of columns that come with it."""
    return data.columns if isinstance(data, DataFile) else ()


def parse_columns(options: Iterable[str]) -> dict[str, str]:
    """`--map FROM=TO` as a mapping. Raises `UsageError` for anything else."""
    columns: dict[str, str] = {}
    for option in options:
        given, sign, wanted = option.rpartition("=")
        if not (given and sign and wanted):
            raise UsageError(
                f"--map {printable(option)} is not FROM=TO",
                hint="Name the column of the file and that of the format: --map question=prompt.",
            )
        if columns.get(given, wanted) != wanted:
            raise UsageError(f"--map gives '{printable(given)}' two names", hint="Map a column once.")
        columns[given] = wanted
    return columns
