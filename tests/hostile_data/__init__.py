"""Files that are made to break what reads them, each by a small generator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hostile_data import archives, csv_tables, parquet_tables, rows, special_files

CASES: dict[str, Callable[[Path], Path | str]] = {
    f"{module.__name__.split('.')[-1]}: {name}": make
    for module in (rows, csv_tables, parquet_tables, archives, special_files)
    for name, make in module.CASES.items()
}
"""What each case is about, and the function that makes it in an empty folder and returns its path."""
