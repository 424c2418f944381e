"""In every kind of table a cell is a text, unless it must be a list or an object, or is a list of messages."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ftbridge.dataset import check, read_examples
from ftbridge.dataset.canonical.example import Chat
from planted_rows import ANSWER, GOOD, USER

Table = Callable[[Path, list[dict[str, str]]], Path]


def as_csv(folder: Path, rows: list[dict[str, str]], separator: str = ",", name: str = "data.csv") -> Path:
    with (folder / name).open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)
    return folder / name


def as_tsv(folder: Path, rows: list[dict[str, str]]) -> Path:
    return as_csv(folder, rows, "\t", "data.tsv")


def as_parquet(folder: Path, rows: list[dict[str, str]]) -> Path:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.Table.from_pylist(rows), folder / "data.parquet")
    return folder / "data.parquet"


def as_xlsx(folder: Path, rows: list[dict[str, str]]) -> Path:
    book = pytest.importorskip("openpyxl").Workbook()
    book.active.append(list(rows[0]))
    for row in rows:
        book.active.append(list(row.values()))
    book.save(folder / "data.xlsx")
    return folder / "data.xlsx"


TABLES = pytest.mark.parametrize("table", [as_csv, as_tsv, as_parquet, as_xlsx])


def read(path: Path) -> list[Any]:
    return [msgspec.to_builtins(example) for _, example in read_examples(path)]


@TABLES
@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Extract the order.", '{"order": 1}'),
        ("Extract the numbers.", "[0, 1]"),
        ('[{"sku": 1}]', "one article"),
        ('{"a": 1}', "[]"),
        ("[x] done?", "{not JSON"),
        ("1", "true"),
    ],
)
def test_structured_extraction_is_text(tmp_path: Path, table: Table, question: str, answer: str) -> None:
    path = table(tmp_path, [{"prompt": question, "completion": answer}])
    user, assistant = {"role": "user", "content": question}, {"role": "assistant", "content": answer}
    assert read(path) == [{"messages": [user, assistant]}]


@TABLES
def test_a_list_of_messages_is_one(tmp_path: Path, table: Table) -> None:
    path = table(tmp_path, [{"prompt": json.dumps([USER]), "completion": json.dumps([ANSWER])}])
    assert read(path) == [{"messages": [USER, ANSWER]}]


@TABLES
def test_what_must_be_a_list_is_read_as_one(tmp_path: Path, table: Table) -> None:
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
    path = table(tmp_path, [{"messages": json.dumps(GOOD["messages"]), "tools": json.dumps([tool])}])
    [example] = read(path)
    assert (example["messages"], example["tools"][0]["function"]["name"]) == (GOOD["messages"], "look")


@TABLES
def test_a_preference_is_read(tmp_path: Path, table: Table) -> None:
    row = {
        "input": json.dumps({"messages": [USER]}),
        "preferred_output": json.dumps([ANSWER]),
        "non_preferred_output": json.dumps([{**ANSWER, "content": "Bah"}]),
    }
    [example] = read(table(tmp_path, [row]))
    assert example["input"] == {"messages": [USER]}


@TABLES
def test_rows_without_any_cell_are_blank_lines(tmp_path: Path, table: Table) -> None:
    """As Excel's exports have them at the end."""
    if table is as_parquet:
        pytest.skip("a row of Parquet has its columns, whatever they hold")
    rows = [{"prompt": "a", "completion": "b"}, {"prompt": "", "completion": ""}, {"prompt": " ", "completion": ""}]
    report = check(table(tmp_path, rows))
    blank = [finding.line for finding in report.findings if finding.code == "blank_line"]
    assert (report.examples, report.errors, blank) == (1, 0, [3, 4])


def test_a_last_cell_that_is_missing_is_an_error_of_the_row(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("prompt,completion\na\nb,c\n")
    report = check(tmp_path / "data.csv")
    assert (report.examples, {finding.line for finding in report.findings if finding.level == "error"}) == (1, {2})


@pytest.mark.parametrize(("cell", "meant"), [("true", True), ("FALSE", False)])
def test_a_truth_value_is_no_text(tmp_path: Path, cell: str, meant: bool) -> None:
    path = tmp_path / "data.csv"
    path.write_text(f"prompt,completion,parallel_tool_calls\n{cell},{cell},{cell}\n")
    [(_, row)] = read_examples(path)
    assert isinstance(row, Chat)
    assert (row.parallel_tool_calls, [one.content for one in row.messages]) == (meant, [cell, cell])


def test_a_list_as_python_shows_it_is_told_to_be_written_as_json(tmp_path: Path) -> None:
    """What `to_csv` of pandas writes of a column of lists."""
    path = tmp_path / "data.csv"
    path.write_text("messages\n\"[{'role': 'user', 'content': 'a'}]\"\n")
    [finding] = check(path).findings
    assert (finding.code, finding.fix) == (
        "wrong_type",
        "Make it a list; in the cell of a table, write that as JSON (json.dumps in Python).",
    )


def test_a_row_has_room_for_one_of_two_columns_of_a_name(tmp_path: Path) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    openpyxl = pytest.importorskip("openpyxl")
    names, cells = ["prompt", "completion", "completion"], ["a", "b", "c"]
    (tmp_path / "data.csv").write_text(f"{','.join(names)}\n{','.join(cells)}\n", "utf-8")
    (tmp_path / "data.tsv").write_text("{}\n{}\n".format("\t".join(names), "\t".join(cells)), "utf-8")
    book = openpyxl.Workbook()
    for row in (names, cells):
        book.active.append(row)
    book.save(tmp_path / "data.xlsx")
    columns = [pyarrow.array([cell]) for cell in cells]
    parquet.write_table(pyarrow.Table.from_arrays(columns, names=names), tmp_path / "data.parquet")
    for file in sorted(tmp_path.glob("data.*")):
        found = [(one.code, one.message) for one in check(file).findings if one.level == "error"]
        assert found == [("repeated_column", "two columns have the name 'completion'")], file


def test_columns_without_a_name_and_a_cell_may_be_many(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("prompt,completion,,\na,b,,\n", "utf-8")
    assert check(tmp_path / "data.csv").errors == 0
