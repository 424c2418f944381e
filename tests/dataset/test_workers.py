"""Several processes find what one finds, on the same lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.planted import generate
from ftbridge.dataset import check
from ftbridge.dataset.lines import lines, opened
from ftbridge.dataset.ranges import byte_ranges, within


def test_every_planted_defect_is_found_on_its_line_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    truth = generate(path, 3_000_000)
    findings = check(path).findings
    assert {finding.line for finding in findings} == set(truth)
    codes = {(finding.line, finding.code) for finding in findings}
    assert all((line, code) in codes for line, code in truth.items())
    assert len(set(truth.values())) >= 15


def test_two_workers_report_the_same(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    generate(path, 1_000_000)
    assert check(path, workers=2) == check(path)


def test_what_is_said_once_is_said_once_by_two_workers(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps({"prompt": "a", "completion": "b", "id": n}) + "\n" for n in range(50)))
    assert check(path, workers=2) == check(path)


@pytest.mark.parametrize("parts", [1, 2, 3, 7, 50])
def test_the_ranges_are_the_file_in_whole_lines(tmp_path: Path, parts: int) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"".join(b"x" * (n % 40) + b"\n" for n in range(100)) + b"end")
    read = []
    for span in byte_ranges(path, parts):
        with opened(path) as file:
            read += [raw for _, raw in lines(within(file, span))]
    assert b"".join(raw or b"" for raw in read) == path.read_bytes()
    assert len(read) == 101


def test_an_empty_file_has_no_ranges(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert byte_ranges(tmp_path / "empty", 4) == []
