"""The first sheet of an Excel workbook is read as a CSV of it would be."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ftbridge.dataset import check, read_examples
from ftbridge.errors import InputError, MissingExtra

openpyxl = pytest.importorskip("openpyxl")


def workbook(path: Path, *rows: Sequence[Any], more: list[list[Any]] | None = None) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    other = book.create_sheet("Notes")
    for row in more or []:
        other.append(row)
    book.save(path)
    return path


def test_rows_are_numbered_as_on_the_sheet_and_numbers_are_text(tmp_path: Path) -> None:
    rows: list[Sequence[Any]] = [
        ["prompt", "completion"],
        ["How many?", 3],
        [],
        ["Half?", 0.5],
        ["True?", True],
        ["When?", date(2026, 1, 2)],
    ]
    path = workbook(tmp_path / "data.xlsx", *rows)
    read = [(line, msgspec.to_builtins(example)["messages"][1]["content"]) for line, example in read_examples(path)]
    assert read == [(2, "3"), (4, "0.5"), (5, "TRUE"), (6, "2026-01-02")]


def test_two_sheets_with_content_are_refused_by_name(tmp_path: Path) -> None:
    path = workbook(tmp_path / "data.xlsx", ["prompt", "completion"], ["a", "b"], more=[["x"]])
    with pytest.raises(InputError, match="2 sheets with content: 'Sheet', 'Notes'"):
        check(path)


def test_a_damaged_workbook_is_an_error(tmp_path: Path) -> None:
    path = workbook(tmp_path / "data.xlsx", ["prompt", "completion"], ["a", "b"])
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match="damaged archive"):
        check(path)


def test_what_only_claims_to_be_a_workbook_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "data.xlsx").write_text("no workbook")
    with pytest.raises(InputError, match="damaged archive"):
        check(tmp_path / "data.xlsx")


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(tmp_path / "data.xlsx", ["prompt", "completion"], ["a", "b"])
    missing: Any = None
    monkeypatch.setitem(sys.modules, "openpyxl", missing)
    with pytest.raises(MissingExtra, match="needs the package openpyxl") as caught:
        check(path)
    assert "ftbridge[xlsx]" in caught.value.hint
