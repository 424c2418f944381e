"""Findings take bounded memory: of each rule the first are kept, and all are counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from command_line import Cli
from ftbridge.dataset import Diagnostics, FileLimits, Omitted, check, prepare
from ftbridge.dataset.canonical.example import Example, Shape
from ftbridge.dataset.findings import MOST_IN_VAIN, MOST_OF_A_ROW, MOST_OF_A_RULE, ReadInVain, RowIsFull
from planted_rows import ANSWER, GOOD, USER, chat, write

LINE = json.dumps(GOOD).encode() + b"\n"
MANY = MOST_OF_A_RULE + 500


def half_bad(folder: Path, bad: bytes, count: int = MANY) -> Path:
    path = folder / "data.jsonl"
    path.write_bytes((LINE + bad) * count)
    return path


@pytest.mark.parametrize("workers", [1, 2])
def test_all_are_counted_and_the_first_are_listed(tmp_path: Path, workers: int) -> None:
    report = check(half_bad(tmp_path, b"{\n"), workers=workers)
    assert (report.examples, report.errors, len(report.findings)) == (MANY, MANY, MOST_OF_A_RULE)
    assert report.omitted == (Omitted("error", "json", 500),)
    assert [finding.line for finding in report.findings[:2]] == [2, 4]


def test_people_and_programs_see_the_number_of_all(here: Cli, tmp_path: Path) -> None:
    path = half_bad(tmp_path, b"{\n")
    assert here("check", path, "--json").json["omitted"] == [{"level": "error", "code": "json", "count": 500}]
    shown = here("check", path).out
    assert f"error: json, {MANY:,} times" in shown
    assert "and 500 more, which are counted and not listed" in shown
    assert f"{MANY:,} errors" in shown


def test_what_prepare_drops_is_counted_where_it_is_not_listed(tmp_path: Path) -> None:
    prepared = prepare(half_bad(tmp_path, b"{\n"), tmp_path / "out", validation=0)
    assert prepared.dropped == {"duplicate": MANY - 1, "json": MANY}
    assert {omitted.code: omitted.count for omitted in prepared.omitted} == {"duplicate": 499, "json": 500}


def test_a_row_has_so_many_findings_and_no_more(tmp_path: Path) -> None:
    row = chat(USER, ANSWER, **{f"k{n}": 1 for n in range(MOST_OF_A_ROW + 100)})
    report = check(write(tmp_path, GOOD, row, GOOD))
    assert (report.examples, report.errors) == (2, MOST_OF_A_ROW)
    assert {finding.line for finding in report.findings} == {2}
    assert report.findings[-1].code == "too_many_problems"


def test_a_full_row_says_so_to_its_rules_and_the_next_one_is_not_full() -> None:
    diagnostics = Diagnostics()
    diagnostics.line = 1
    for _ in range(MOST_OF_A_ROW - 1):
        diagnostics.warning("$", "code", "message", "fix")
    for _ in range(2):
        with pytest.raises(RowIsFull):
            diagnostics.warning("$", "code", "message", "fix")
    diagnostics.line = 2
    diagnostics.warning("$", "code", "message", "fix")
    assert (diagnostics.warnings, diagnostics.errors) == (MOST_OF_A_ROW, 1)
    assert diagnostics.invalid == {"too_many_problems": 1}


def test_long_texts_leave_room_for_the_first_few_of_each_rule() -> None:
    diagnostics = Diagnostics()
    for diagnostics.line in range(1, 200):
        diagnostics.warning("$", "long", "x" * 1_000_000, "fix")
    for diagnostics.line in range(200, 230):
        diagnostics.warning("$", "short", "x", "fix")
    kept = [finding.code for finding in diagnostics.findings]
    assert kept.count("long") < 40
    assert kept.count("short") == 30
    assert diagnostics.warnings == 229


@pytest.mark.parametrize("line", [b"{\n", b"\n"])
def test_a_file_that_is_hardly_ever_an_example_is_not_read_to_its_end(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(LINE + line * (MOST_IN_VAIN + 1000))
    report = check(path)
    last = report.findings[-1]
    assert (last.code, last.line, report.examples) == ("read_in_vain", MOST_IN_VAIN + 1, 1)
    with pytest.raises(ReadInVain, match="are no valid examples, so the rest is not read"):
        prepare(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


class Raising:
    """A target that meets what nobody foresaw."""

    target = "raising"
    shapes: frozenset[Shape] = frozenset({"chat"})
    limits = FileLimits()

    def __init__(self, problem: Exception) -> None:
        self.problem = problem

    def convert(self, example: Example, diagnostics: Diagnostics) -> Any:
        if diagnostics.line == 2:
            raise self.problem
        return example


@pytest.mark.parametrize(("problem", "code"), [(RecursionError(), "too_deep"), (ValueError("odd"), "unreadable")])
def test_what_nobody_foresaw_is_a_finding_about_its_row(tmp_path: Path, problem: Exception, code: str) -> None:
    report = check(write(tmp_path, GOOD, GOOD, GOOD), converters=[Raising(problem)])
    assert [(finding.line, finding.code, finding.target) for finding in report.findings] == [(2, code, "raising")]
