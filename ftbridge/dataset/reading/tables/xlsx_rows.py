"""Rows from the first sheet of an Excel workbook, a few at a time, as text: what a CSV of it would hold."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import BadZipFile, ZipFile

from ftbridge.dataset.formats.base import JsonObject
from ftbridge.dataset.reading.compressed import HARMLESS, MOST_TIMES
from ftbridge.dataset.reading.lines import Line
from ftbridge.dataset.reading.tables.cells import BLANK, by_column, repeated_column
from ftbridge.errors import FtbridgeError, InputError, MissingExtra
from ftbridge.wording import printable

_WORKBOOK = "xl/workbook.xml"


def xlsx_rows(path: Path) -> Iterator[tuple[int, JsonObject | Line]]:
    """The rows under the header, each with its number on the sheet. Empty cells are left out.

    Of a formula the cell has the value that Excel has stored. Raises `MissingExtra` without openpyxl, and `InputError`
    for what is no workbook, has several sheets with content, or becomes far larger than it is.
    """
    _check_archive(path)
    try:
        with path.open("rb") as file:
            yield from _rows(_only_sheet(_open(file)))
    except FtbridgeError:
        raise
    except Exception as problem:  # what openpyxl raises for a damaged file is of many classes
        raise InputError(
            f"the workbook cannot be read: {printable(str(problem), 200)}",
            hint="It may be damaged: open it in Excel, and save it as .xlsx or as CSV.",
        ) from None


def _open(file: BinaryIO) -> Any:
    try:
        import openpyxl  # type: ignore[import-untyped,unused-ignore]  # an extra, and without types
    except ImportError:
        raise MissingExtra(
            "reading .xlsx needs the package openpyxl",
            hint="pip install 'ftbridge[xlsx]', or save the sheet as CSV.",
        ) from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and rules, which say nothing about the content
        return openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)


def _check_archive(path: Path) -> None:
    """Raises `InputError` for an archive that is no workbook, or that becomes far larger than it is."""
    try:
        with ZipFile(path) as archive:
            members = archive.infolist()
    except (BadZipFile, OSError, ValueError) as problem:
        reason = printable(str(problem), 200)
        raise InputError(f"the file is a damaged archive: {reason}", hint="Create or download it again.") from None
    if all(member.filename != _WORKBOOK for member in members):
        raise InputError("the file is a zip archive", hint="Unpack it, and name the file inside: unzip FILE.")
    size, content = path.stat().st_size, sum(member.file_size for member in members)
    if content > HARMLESS and content > MOST_TIMES * size:
        message = f"the workbook has {size:,} bytes, and becomes {content:,}, as no real dataset does"
        raise InputError(message, hint="If it is one, save it as CSV.")


def _only_sheet(book: Any) -> Any:
    """The one sheet that has content: which of several is meant cannot be known."""
    sheets = [sheet for sheet in book.worksheets if any(map(_has_content, sheet.iter_rows(values_only=True)))]
    if len(sheets) > 1:
        names = ", ".join(f"'{printable(sheet.title, 30)}'" for sheet in sheets[:5])
        raise InputError(
            f"the workbook has {len(sheets)} sheets with content: {names}",
            hint="Save the one with the examples as a file of its own, .xlsx or .csv.",
        )
    return sheets[0] if sheets else book.worksheets[0]


def _has_content(row: tuple[Any, ...]) -> bool:
    return any(value is not None for value in row)


def _rows(sheet: Any) -> Iterator[tuple[int, JsonObject | Line]]:
    header: list[str] | None = None
    for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
        row = [_text(value) for value in values]
        if header is None and any(row):
            if twice := repeated_column(row):
                yield number, twice
                return
            header = row
        elif header is None:
            continue
        elif not any(map(str.strip, row)):
            yield number, BLANK
        else:
            yield number, by_column(header, row)


def _text(value: Any) -> str:
    """A cell as text: as a CSV file that Excel writes has it, but for dates, which are in ISO's form."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
