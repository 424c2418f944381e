"""A file in no known format is one finding, however many rows it has, with a guess at the reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ftbridge.dataset import Finding, check
from ftbridge.dataset.formats import recognise
from ftbridge.dataset.reading.unrecognised import KEY_SETS


def only(path: Path) -> Finding:
    report = check(path)
    assert (report.format, report.examples, report.errors) == ("unknown", 0, 1)
    [finding] = report.findings
    assert finding.code == "unknown_format"
    return finding


def table(folder: Path, header: str, separator: str = ",", name: str = "data.csv") -> Path:
    path = folder / name
    path.write_text(header + "\n" + "".join(f"a{n}{separator}b{n}\n" for n in range(200)))
    return path


def test_rows_of_a_strange_shape_are_reported_once_with_their_keys_and_those_of_the_formats(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps({"question": "a", "ans": "b"}) + "\n" for _ in range(200)))
    finding = only(path)
    assert finding.message == "the first 100 rows are in no known format: the keys are 'question', 'ans'"
    assert "'prompt' and 'completion'; 'input' and 'output'" in finding.fix
    assert "Did you mean" not in finding.fix


@pytest.mark.parametrize(
    ("header", "guess"),
    [
        ("foo,bar", ""),
        ("Prompt,Completion", "Did you mean 'prompt' and 'completion'? "),
        (" prompt, completions", "Did you mean 'prompt' and 'completion'? "),
        ("prompt;completion", "Is the table separated by semicolons? Save it with commas. "),
        ("prompt\tcompletion", "Is the table separated by tabs? Save it with commas. "),
    ],
)
def test_what_is_wrong_with_the_columns_of_a_table_is_guessed_at(tmp_path: Path, header: str, guess: str) -> None:
    finding = only(table(tmp_path, header))
    assert "the column" in finding.message
    assert finding.fix.startswith(f"{guess}Known formats have the columns 'messages'; ")


def test_many_keys_are_not_all_told(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps({f"key {n}": n for n in range(1000)}))
    assert only(path).message.endswith("'key 6', 'key 7' and 992 more")


def test_a_table_with_tabs_is_read_where_its_name_tells(tmp_path: Path) -> None:
    assert check(table(tmp_path, "prompt\tcompletion", "\t", "data.tsv")).examples == 200


def test_a_format_that_is_asked_for_is_tried(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"question": "a"}\n')
    assert {finding.code for finding in check(path, format="chat").findings} == {"missing_key", "unknown_key"}


def test_a_file_without_objects_is_told_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text("[1]\n2\n")
    report = check(path)
    assert [finding.code for finding in report.findings] == ["not_an_object", "not_an_object"]
    assert report.why == "none of its lines is a JSON object"


def test_an_empty_file_is_reported_as_such(tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").touch()
    report = check(tmp_path / "data.jsonl")
    assert (report.why, [finding.code for finding in report.findings]) == (
        "the file has no lines",
        ["empty_file"],
    )


@pytest.mark.parametrize("keys", KEY_SETS, ids=" ".join)
def test_the_keys_that_are_named_make_a_format(keys: tuple[str, ...]) -> None:
    assert recognise(dict.fromkeys(keys, "x")) is not None


def test_keys_that_are_spelled_right_are_not_guessed_at(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    for keys, guess in ((["prompt"], ""), (["context", "question"], ""), (["input", "outptu"], "'output'")):
        path.write_text(json.dumps(dict.fromkeys(keys, "a")) + "\n")
        assert only(path).fix.startswith(f"Did you mean {guess}? " if guess else "Known formats")
