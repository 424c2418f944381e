"""What is not a file of lines is one finding, or one error; any end of a line is accepted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ftbridge.dataset import check, read_examples
from ftbridge.errors import DataError, InputError, UsageError
from planted_rows import ANSWER, GOOD, USER, chat, only, write


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such file: .*nothing\.jsonl"):
        check(tmp_path / "nothing.jsonl")


def test_a_directory(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a directory, not a file"):
        check(tmp_path)


def test_an_unknown_format_is_named_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no format 'cvs'") as caught:
        check(write(tmp_path, GOOD), format="cvs")
    assert "chat" in caught.value.hint


@pytest.mark.parametrize("content", [b"", b"\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_a_finding_on_line_0(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "empty.jsonl"
    path.write_bytes(content)
    errors = [finding for finding in check(path).findings if finding.level == "error"]
    assert [(finding.line, finding.code) for finding in errors] == [(0, "empty_file")]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path: Path, end: bytes) -> None:
    path = tmp_path / "windows.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(GOOD).encode() + end + json.dumps(GOOD).encode() + end)
    report = check(path)
    assert (report.examples, report.findings) == (2, ())


def test_a_last_line_without_line_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "short.jsonl"
    path.write_bytes(json.dumps(GOOD).encode())
    assert check(path).examples == 1


def test_utf_16_is_one_finding(tmp_path: Path) -> None:
    path = tmp_path / "wide.jsonl"
    path.write_bytes(("\n".join([json.dumps(GOOD)] * 3)).encode("utf-16"))
    assert only(check(path)).code == "not_utf8"


def test_a_line_of_20_mb_is_read(tmp_path: Path) -> None:
    report = check(write(tmp_path, chat({**USER, "content": "x" * 20_000_000}, ANSWER)))
    assert (report.examples, report.findings) == (1, ())


def test_a_line_beyond_the_limit_is_refused_and_reading_goes_on(tmp_path: Path) -> None:
    report = check(write(tmp_path, GOOD, b"x" * (33 * 2**20), GOOD, "[]"))
    assert [(finding.line, finding.code) for finding in report.findings] == [(2, "line_too_long"), (4, "not_an_object")]
    assert report.examples == 2


def test_blank_lines_give_a_warning_and_are_skipped(tmp_path: Path) -> None:
    report = check(write(tmp_path, GOOD, "", GOOD))
    assert (only(report).line, only(report).code, report.errors, report.examples) == (2, "blank_line", 0, 2)


def test_reading_yields_the_examples_with_their_lines(tmp_path: Path) -> None:
    assert [line for line, _ in read_examples(write(tmp_path, GOOD, "", GOOD))] == [1, 3]


def test_reading_stops_at_the_first_bad_row(tmp_path: Path) -> None:
    rows = read_examples(write(tmp_path, GOOD, chat(USER)))
    next(rows)
    with pytest.raises(DataError, match=r"data\.jsonl, line 2, \$\.messages: there is no assistant message") as caught:
        next(rows)
    assert (caught.value.line, caught.value.path) == (2, "$.messages")
