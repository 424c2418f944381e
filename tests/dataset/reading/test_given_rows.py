"""Rows that a program has in memory are checked and submitted as those of a file are."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from ftbridge import Bridge
from ftbridge.errors import DataError, InputError, UsageError
from ftbridge.jobs.request.kept_data import remove_unneeded
from planted_rows import ANSWER, GOOD, USER, chat

PAIRS = [{"prompt": f"q{n}", "completion": f"a{n}"} for n in range(12)]


class Message(BaseModel):
    """As the SDKs of vendors have them."""

    role: str
    content: str


def as_pandas(rows: list[Any]) -> Any:
    return pytest.importorskip("pandas").DataFrame(rows)


def as_polars(rows: list[Any]) -> Any:
    return pytest.importorskip("polars").DataFrame(rows)


def as_dataset(rows: list[Any]) -> Any:
    return pytest.importorskip("datasets").Dataset.from_list(rows)


def as_arrow(rows: list[Any]) -> Any:
    return pytest.importorskip("pyarrow").Table.from_pylist(rows)


FORMS: list[Callable[[list[Any]], Iterable[Any]]] = [list, tuple, iter, as_arrow, as_pandas, as_polars, as_dataset]


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_rows_is_checked(bridge: Bridge, form: Callable[[list[Any]], Iterable[Any]]) -> None:
    report = bridge.check(form([*PAIRS, {"prompt": "q", "completion": None}]))
    assert (report.file, report.examples) == ("the rows given", 12)
    assert {finding.line for finding in report.findings if finding.level == "error"} == {13}


@pytest.mark.parametrize("form", FORMS)
def test_nested_messages_are_read(bridge: Bridge, form: Callable[[list[Any]], Iterable[Any]]) -> None:
    assert bridge.check(form([GOOD] * 3)).examples == 3


def test_a_generator_is_read_once(bridge: Bridge) -> None:
    report = bridge.check((row for row in PAIRS), ["openai:gpt-4.1-mini-2025-04-14"], tokens=True)
    assert report.tokens["openai:gpt-4.1-mini-2025-04-14"].examples == 12


def test_models_of_an_sdk_are_read(bridge: Bridge) -> None:
    messages = [Message(role="user", content="a"), Message(role="assistant", content="b")]
    assert bridge.check([{"messages": messages}]).examples == 1


def test_a_cell_of_a_frame_is_decoded_as_one_of_a_table(bridge: Bridge) -> None:
    rows = [{"messages": json.dumps(GOOD["messages"])}]
    assert bridge.check(as_arrow(rows)).examples == 1
    assert bridge.check(rows).examples == 0


def test_columns_are_mapped(bridge: Bridge) -> None:
    rows = [{"question": "a", "answer": "b"}]
    assert bridge.check(rows, map={"question": "prompt", "answer": "completion"}).examples == 1


def test_rows_are_converted_counted_and_compared(bridge: Bridge, tmp_path: Path) -> None:
    assert bridge.convert(PAIRS, "local:tiny", tmp_path / "out.jsonl").examples == 12
    assert bridge.count_tokens(PAIRS, "local:tiny").examples == 12
    assert bridge.compare(PAIRS, "local:tiny", validation=PAIRS[:2])[0].examples == 12


def test_nothing_is_left_of_rows_that_were_checked(bridge: Bridge) -> None:
    bridge.check(PAIRS, validation=PAIRS)
    assert [path for path in bridge.home.rglob("*") if path.suffix == ".jsonl"] == []


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"prompt": ["a"], "completion": ["b"]}, "a mapping is given instead of rows; its keys are 'prompt'"),
        (5, "a int has no rows"),
    ],
)
def test_what_has_no_rows_is_refused(bridge: Bridge, given: Any, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        bridge.check(given)


@pytest.mark.parametrize("value", [object(), {1, 2j}, "\ud83d", sys])
def test_a_value_without_a_form_in_json_is_refused_by_row(bridge: Bridge, value: Any) -> None:
    with pytest.raises(InputError, match="row 2 cannot be written as JSON"):
        bridge.check([GOOD, chat({**USER, "content": value}, ANSWER)])


@pytest.mark.parametrize("value", [b"Where is it?", bytearray(b"a"), memoryview(b"a")])
@pytest.mark.parametrize(
    ("row", "path"),
    [
        (lambda value: {"prompt": value, "completion": "a"}, "$.prompt"),
        (lambda value: chat({**USER, "content": value}, ANSWER), "$.messages[0].content"),
        (lambda value: {"prompt": "a", "completion": "b", "images": [value]}, "$.images[0]"),
    ],
)
def test_bytes_where_a_text_belongs_are_refused_with_where_they_are(
    bridge: Bridge, row: Callable[[Any], Any], path: str, value: Any
) -> None:
    with pytest.raises(InputError) as caught:
        bridge.check([row("a"), row(value)])
    assert caught.value.message == f"row 2, {path}: these are bytes, and JSON has texts"
    assert 'value.decode("utf-8")' in caught.value.hint


def test_bytes_in_a_column_of_a_frame_are_refused(bridge: Bridge) -> None:
    with pytest.raises(InputError, match=r"row 1, \$\.prompt: these are bytes"):
        bridge.check(as_arrow([{"prompt": b"a", "completion": "b"}]))


def test_bytes_in_a_file_of_parquet_are_refused_too(bridge: Bridge, tmp_path: Path) -> None:
    library = pytest.importorskip("pyarrow.parquet")
    for name, rows in (
        ("pairs", [{"prompt": b"a", "completion": "b"}]),
        ("chats", [{"messages": [{"role": "user", "content": b"a"}, {"role": "assistant", "content": b"b"}]}]),
    ):
        library.write_table(as_arrow(rows), tmp_path / name)
        report = bridge.check(tmp_path / name)
        assert (report.examples, report.errors > 0) == (0, True)


def test_rows_that_are_no_objects_are_findings(bridge: Bridge) -> None:
    report = bridge.check([GOOD, 5, "text"])
    assert [(f.line, f.code) for f in report.findings if f.level == "error"] == [
        (2, "not_an_object"),
        (3, "not_an_object"),
    ]


def kept(bridge: Bridge) -> list[Path]:
    return sorted(path for path in bridge.home.rglob("rows-*") if path.is_file())


def test_rows_that_are_submitted_are_kept_privately_until_their_job_is_over(bridge: Bridge) -> None:
    job = bridge.submit((row for row in PAIRS), "local:tiny", validation=PAIRS[:3], epochs=1)
    files = kept(bridge)
    assert sorted([job.spec.data, job.spec.validation or Path()]) == files
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600, 0o600]
    assert [json.loads(line) for line in job.spec.data.read_bytes().splitlines()] == PAIRS
    remove_unneeded(bridge.home, bridge.ledger)
    assert kept(bridge) == files
    bridge.cancel(job)
    bridge.wait(job)
    remove_unneeded(bridge.home, bridge.ledger)
    assert kept(bridge) == []


def test_the_same_rows_are_the_same_job(bridge: Bridge) -> None:
    one, two = bridge.submit(PAIRS, "local:tiny"), bridge.submit(iter(PAIRS), "local:tiny")
    assert one.id == two.id
    bridge.cancel(one)


def test_rows_that_are_refused_leave_nothing(bridge: Bridge) -> None:
    with pytest.raises(DataError, match="the rows given, line 13") as caught:
        bridge.submit([*PAIRS, {"prompt": "a", "completion": 5}], "local:tiny")
    assert "`Bridge.check` lists everything" in caught.value.hint
    assert list((bridge.home / "prepared").iterdir()) == []
    assert list((bridge.home / "temporary").iterdir()) == []


def test_the_bytes_of_an_image_are_the_image(bridge: Bridge, tmp_path: Path) -> None:
    """As a `datasets.Dataset` has them where its images are not decoded."""
    image = {"bytes": b"\x89PNG, and so on", "path": None}
    rows = [{"prompt": "<image>What is it?", "completion": "A cat.", "images": [image]}] * 10
    done = bridge.convert(rows, "openai:gpt-4o-2024-08-06", tmp_path / "out.jsonl")
    url = json.loads(done.out.read_text().splitlines()[0])["messages"][0]["content"][0]["image_url"]["url"]
    assert url == "data:image/png;base64,iVBORywgYW5kIHNvIG9u"
