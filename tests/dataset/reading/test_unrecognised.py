"""A file in no known format is one finding, however many rows it has, with a guess at the reason."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from ftbridge import Bridge
from ftbridge.dataset import Finding, check
from ftbridge.dataset.data_file import data_file, parse_columns
from ftbridge.dataset.formats import recognise
from ftbridge.dataset.reading.unrecognised import KEY_SETS
from ftbridge.errors import DataError


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
        ("prompt|completion", "Is the table separated by bars? Save it with commas. "),
    ],
)
def test_what_is_wrong_with_the_columns_of_a_table_is_guessed_at(tmp_path: Path, header: str, guess: str) -> None:
    finding = only(table(tmp_path, header))
    assert "the column" in finding.message
    assert finding.fix.startswith(f"{guess}Known formats have the columns 'messages'; ")


@pytest.mark.parametrize(
    ("row", "options"),
    [
        ({"question": "a", "answer": "b"}, "--map question=prompt --map answer=completion"),
        ({"system_prompt": "s", "question": "a", "response": "b"}, "--map question=prompt --map response=completion"),
        ({"prompt": "a", "response": "b", "helpfulness": 4}, "--map response=completion"),
        ({"Problem": "a", "my solution": "c", "solution": "b"}, "--map Problem=prompt --map solution=completion"),
        (
            {"ticket_id": "1", "subject": "s", "question": "a", "agent_reply": "b"},
            "--map question=prompt --map agent_reply=completion",
        ),
        (
            {"questionId": "1", "userQuestion": "a", "botAnswer": "b"},
            "--map userQuestion=prompt --map botAnswer=completion",
        ),
        ({"prompt": "a", "compltion": "b"}, "--map compltion=completion"),
        ({"foo": "a", "bar baz": "b", "c": "d"}, "--map foo=prompt --map 'bar baz=completion'"),
        ({"body": "a"}, "--map body=text"),
        ({"id": "1", "body": "a", "summary": "b"}, "--map body=prompt --map summary=completion"),
        ({"ticket_id": "1", "body": "a", "summary": "b"}, "--map body=prompt --map summary=completion"),
        ({"conversation_a": "a", "conversation_b": "b"}, "--map conversation_a=prompt --map conversation_b=completion"),
    ],
)
def test_the_hint_can_be_followed(tmp_path: Path, row: dict[str, str], options: str) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps(row) + "\n")
    assert only(path).fix.endswith(f": {options}.")
    given = [word.removeprefix("--map=") for word in shlex.split(options.replace("--map ", "--map="))]
    assert check(data_file(path, parse_columns(given))).format in ("prompt-completion", "text")


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"prompt": "a", "completions": ["b", "c"], "labels": [True, False]}, "TRL's stepwise supervision"),
        (
            {"id": 1, "query": "a", "answers": "[]", "tools": "[]"},
            "xLAM's, whose tools have parameters that are no JSON",
        ),
        ({"anchor": "a", "positive": "b"}, "train an embedding"),
        ({"custom_id": "1", "method": "POST", "body": {"messages": []}}, "requests of OpenAI's batch API"),
        (
            {"prompt": "a", "response_0": "b", "response_1": "c", "better_response_id": 1},
            "the better one of two answers is told by its number",
        ),
    ],
)
def test_rows_for_another_use_are_told_as_such(tmp_path: Path, row: dict[str, object], sentence: str) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps(row) + "\n")
    assert sentence in only(path).message


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


def test_submit_says_first_that_the_rows_are_in_no_known_format(bridge: Bridge, tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"question": "a", "answer": "b"}\n' * 20)
    with pytest.raises(DataError) as caught:
        bridge.submit(path, "mock+openai:gpt-4.1-mini-2025-04-14")
    sentence = "line 1: the first 20 rows are in no known format: the keys are 'question', 'answer'"
    assert caught.value.message == f"{path}, {sentence}"
    assert "--map question=prompt --map answer=completion" in caught.value.hint


def test_submit_says_what_is_wrong_with_a_row_before_it_says_that_too_few_are_right(
    bridge: Bridge, tmp_path: Path
) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"prompt": "a", "completion": "b"}\n' * 9 + '{"prompt": "a", "completion": 5}\n')
    with pytest.raises(DataError, match=r"line 10, .*, and 1 more error"):
        bridge.submit(path, "mock+openai:gpt-4.1-mini-2025-04-14")


@pytest.mark.parametrize("keys", KEY_SETS, ids=" ".join)
def test_the_keys_that_are_named_make_a_format(keys: tuple[str, ...]) -> None:
    assert recognise(dict.fromkeys(keys, "x")) is not None


def test_keys_that_are_spelled_right_are_not_guessed_at(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    for keys, guess in ((["prompt"], ""), (["context", "question"], ""), (["input", "outptu"], "'output'")):
        path.write_text(json.dumps(dict.fromkeys(keys, "a")) + "\n")
        assert only(path).fix.startswith(f"Did you mean {guess}? " if guess else "Known formats")
