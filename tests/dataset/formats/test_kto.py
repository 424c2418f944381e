"""Answers with a label: an unwanted one is never trained as a good one."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from foreign_rows import ANSWER, SYSTEM, USER, WORSE, problems, read, write
from ftbridge.dataset import check

WANTED = {"prompt": "Where is it?", "completion": "There.", "label": True}
UNWANTED = {"prompt": "Where is it?", "completion": "No.", "label": False}
TURNS = [{"from": "human", "value": "Where is it?"}, {"from": "gpt", "value": "No."}]
PAIR = {"input": {"messages": [USER]}, "preferred_output": [ANSWER], "non_preferred_output": [WORSE]}


@pytest.mark.parametrize("key", ["label", "kto_tag"])
@pytest.mark.parametrize("label", [True, False, 1, 0, 1.0, 0.0, "true", "False", "0.0", "1 "])
@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "Where is it?", "completion": "No."},
        {"prompt": [USER], "completion": [WORSE]},
        {"instruction": "Where is it?", "output": "No."},
        {"input": "Where is it?", "output": "No."},
        {"conversations": TURNS},
        {"messages": [USER, WORSE]},
        {"interactions": [USER, WORSE]},
    ],
)
def test_a_labelled_answer_is_refused_in_every_format(tmp_path: Path, row: Any, label: Any, key: str) -> None:
    report = check(write(tmp_path / "rows.jsonl", {**row, key: label}))
    assert [(finding.level, finding.path) for finding in report.findings] == [("error", f"$.{key}")]
    assert report.examples == 0
    assert "kto-wanted trains on the wanted answers alone" in report.findings[0].fix


def test_a_label_in_a_table_is_one_too(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["prompt", "completion", "label"], ["Where is it?", "No.", "False"]])
    assert [finding.path for finding in check(path).findings] == ["$.label"]


@pytest.mark.parametrize("label", ["sports", 7, 0.5])
def test_a_label_that_is_no_verdict_is_refused_as_any_key_that_may_say_something(tmp_path: Path, label: Any) -> None:
    [(level, path, _)] = problems(tmp_path, {**WANTED, "label": label})
    assert (level, path) == ("error", "$.label")


def test_the_wanted_answers_alone_are_read_on_request_and_the_others_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", UNWANTED, WANTED, UNWANTED)
    assert read(path, "kto-wanted") == [{"messages": [USER, ANSWER]}]
    assert problems(tmp_path, UNWANTED, WANTED, UNWANTED, name="kto-wanted") == [
        ("warning", "$", "2 rows with an unwanted answer are left out")
    ]


@pytest.mark.parametrize(
    ("wanted", "unwanted"),
    [
        (WANTED, UNWANTED),
        ({"messages": [USER, ANSWER], "label": True}, {"messages": [USER, WORSE], "label": False}),
        (
            {"instruction": "Where is it?", "output": "There.", "kto_tag": True},
            {"instruction": "Where is it?", "output": "No.", "kto_tag": False},
        ),
    ],
)
def test_pairs_are_made_on_request_of_answers_to_the_same_messages(tmp_path: Path, wanted: Any, unwanted: Any) -> None:
    for rows in ((wanted, unwanted), (unwanted, wanted)):
        assert read(write(tmp_path / "rows.jsonl", *rows), "kto-pairs") == [PAIR]


def test_other_messages_before_an_answer_make_another_pair(tmp_path: Path) -> None:
    other = {"messages": [SYSTEM, USER, WORSE], "label": False}
    wanted = [{"messages": [*before, USER, ANSWER], "label": True} for before in ([], [SYSTEM])]
    rows = [wanted[0], other, other, wanted[1]]
    made = read(write(tmp_path / "rows.jsonl", *rows), "kto-pairs")
    assert made == [{**PAIR, "input": {"messages": [SYSTEM, USER]}}]
    assert problems(tmp_path, *rows, name="kto-pairs") == [
        ("warning", "$", "2 rows without an answer of the other kind are left out")
    ]


def test_a_row_without_a_verdict_is_refused(tmp_path: Path) -> None:
    row = {**WANTED, "label": "perhaps"}
    assert problems(tmp_path, row, name="kto-wanted") == [("error", "$.label", "the label is neither true nor false")]


def test_pairs_are_the_same_with_several_workers(tmp_path: Path) -> None:
    rows = [{"prompt": f"{number % 50}?", "completion": str(number), "label": number < 50} for number in range(100)]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert check(path, format="kto-pairs", workers=2) == check(path, format="kto-pairs")
    assert check(path, format="kto-pairs", workers=2).examples == 50
