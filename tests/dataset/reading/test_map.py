"""Columns, or keys, that no format knows are given the names of one."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import msgspec
import pytest

from as_it_is import AsItIs
from command_line import Cli
from ftbridge import Bridge
from ftbridge.dataset import check, convert, prepare, read_examples
from ftbridge.dataset.data_file import Data, data_file, parse_columns
from ftbridge.errors import DataError, UsageError

MAP = {"question": "prompt", "answer": "completion"}
OPTIONS = ("--map", "question=prompt", "--map", "answer=completion")
TARGET = "openai:gpt-4.1-mini-2025-04-14"
ROWS = [{"question": f"q{n}", "answer": f"a{n}"} for n in range(12)]
CHATS = [
    {"messages": [{"role": "user", "content": f"q{n}"}, {"role": "assistant", "content": f"a{n}"}]} for n in range(12)
]


def lines(folder: Path, rows: list[Any] = ROWS) -> Path:
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / "data.jsonl"


def array(folder: Path) -> Path:
    (folder / "data.json").write_text(json.dumps(ROWS, indent=1))
    return folder / "data.json"


def table(folder: Path) -> Path:
    (folder / "data.csv").write_text("question,answer\n" + "".join(f"q{n},a{n}\n" for n in range(12)))
    return folder / "data.csv"


def parquet(folder: Path) -> Path:
    arrow, library = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    library.write_table(arrow.Table.from_pylist(ROWS), folder / "data.parquet")
    return folder / "data.parquet"


def workbook(folder: Path) -> Path:
    book = pytest.importorskip("openpyxl").Workbook()
    for row in (list(ROWS[0]), *(list(row.values()) for row in ROWS)):
        book.active.append(row)
    book.save(folder / "data.xlsx")
    return folder / "data.xlsx"


def read(data: Data) -> list[Any]:
    return [msgspec.to_builtins(example) for _, example in read_examples(data)]


@pytest.mark.parametrize("make", [lines, array, table, parquet, workbook])
def test_every_kind_of_file_is_read_under_other_names(tmp_path: Path, make: Any) -> None:
    assert read(data_file(make(tmp_path), MAP)) == CHATS


def test_a_cell_is_read_by_its_new_name(tmp_path: Path) -> None:
    cell = json.dumps(CHATS[0]["messages"]).replace('"', '""')
    (tmp_path / "data.csv").write_text(f'dialogue\n"{cell}"\n')
    assert read(data_file(tmp_path / "data.csv", {"dialogue": "messages"})) == CHATS[:1]


def test_names_can_be_exchanged(tmp_path: Path) -> None:
    path = lines(tmp_path, [{"completion": "q", "prompt": "a"}])
    [row] = read(data_file(path, {"completion": "prompt", "prompt": "completion"}))
    assert [message["content"] for message in row["messages"]] == ["q", "a"]


def test_other_mistakes_of_a_row_stay_its_own(tmp_path: Path) -> None:
    path = lines(tmp_path, ROWS)
    path.write_text(path.read_text() + '{"question": \n{"question": "a", "answer": 5}\n')
    report = check(data_file(path, MAP))
    assert (report.examples, {finding.line for finding in report.findings}) == (12, {13, 14})


def test_a_row_that_has_the_new_name_already_is_refused(tmp_path: Path) -> None:
    path = lines(tmp_path, [*ROWS, {"question": "a", "prompt": "b", "answer": "c"}])
    [finding] = check(data_file(path, MAP)).findings
    assert (finding.line, finding.code) == (13, "mapped_twice")
    assert "--map prompt=unused" in finding.fix


@pytest.mark.parametrize("columns", [{**MAP, "systm": "system"}, {"questoin": "prompt", "answer": "completion"}])
def test_a_column_that_is_not_there_is_named(tmp_path: Path, columns: dict[str, str]) -> None:
    rows = [{**row, "system_": "s"} for row in ROWS]
    with pytest.raises(UsageError, match=r"no row has anything under '(systm|questoin)', which --map names") as caught:
        check(data_file(lines(tmp_path, rows), columns))
    assert "Did you mean '" in caught.value.hint


@pytest.mark.parametrize(
    ("columns", "options"),
    [
        ({"Frage": "promt", "Antwort": "completion"}, "--map Frage=prompt --map Antwort=completion"),
        ({"Antwort": "complet"}, "--map Antwort=completion"),
        ({"Antwort": "completion"}, "--map Antwort=completion --map Frage=prompt"),
        ({"Antwort": "completion", "Nr": "unused"}, "--map Antwort=completion --map Nr=unused --map Frage=prompt"),
    ],
)
def test_a_name_that_no_format_has_is_mended_in_its_own_option(
    tmp_path: Path, columns: dict[str, str], options: str
) -> None:
    path = lines(tmp_path, [{"Antwort": "a", "Frage": "q"} | ({"Nr": 1} if "Nr" in columns else {})])
    [finding] = check(data_file(path, columns)).findings
    assert finding.fix.endswith(f": {options}.")


def test_the_options_of_a_hint_are_read(tmp_path: Path) -> None:
    path = lines(tmp_path, [{"Antwort": "a", "Frage": "q"}])
    [finding] = check(data_file(path, {"Frage": "promt", "Antwort": "completion"})).findings
    mended = parse_columns(shlex.split(finding.fix.rpartition(": ")[2].rstrip("."))[1::2])
    assert read(data_file(path, mended)) == [
        {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
    ]


def test_nothing_is_written_where_a_column_is_not_there(tmp_path: Path) -> None:
    data = data_file(lines(tmp_path), {**MAP, "sys": "system"})
    with pytest.raises(UsageError):
        prepare(data, tmp_path / "out")
    with pytest.raises(UsageError):
        convert(data, AsItIs(), tmp_path / "out.jsonl")
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize("options", [["question"], ["=prompt"], ["question="], ["a=b", "a=c"]])
def test_an_option_that_maps_nothing_is_refused(options: list[str]) -> None:
    with pytest.raises(UsageError):
        parse_columns(options)


def test_two_columns_cannot_become_one() -> None:
    with pytest.raises(UsageError, match="two columns are mapped to 'prompt'"):
        data_file("x", {"a": "prompt", "b": "prompt"})


def test_every_command_that_reads_a_dataset_maps_its_columns(here: Cli, vendors: Any, tmp_path: Path) -> None:
    data = table(tmp_path)
    assert json.loads(here("check", data, *OPTIONS, "--json").out)["examples"] == 12
    assert here("convert", data, "--to", "local:tiny", "--out", tmp_path / "c.jsonl", *OPTIONS).code == 0
    assert here("prepare", data, "--out", tmp_path / "p", *OPTIONS).code == 0
    assert json.loads(here("compare", data, "--to", TARGET, "--json", *OPTIONS).out)["rows"][0]["examples"] == 12
    held = lines(tmp_path)
    ran = here("submit", data, "--to", TARGET, "--validation", held, *OPTIONS)
    assert ran.code == 0, ran.err


def test_an_error_names_the_command_that_lists_everything(bridge: Bridge, tmp_path: Path) -> None:
    data = lines(tmp_path, [{"question": "", "answer": 5}])
    with pytest.raises(DataError) as caught:
        bridge.submit(data, "local:tiny", map=MAP)
    assert f"`ftbridge check {data} --to local:tiny --map question=prompt --map answer=completion`" in caught.value.hint
