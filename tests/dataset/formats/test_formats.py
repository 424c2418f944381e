"""Other people's formats, packings and tables are read as the canonical examples."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from foreign_rows import read, write
from ftbridge.dataset import check, read_examples
from ftbridge.errors import InputError

USER = {"role": "user", "content": "Where is it?"}
ANSWER = {"role": "assistant", "content": "There."}
SYSTEM = {"role": "system", "content": "Be brief."}
CHAT = {"messages": [USER, ANSWER]}
CALLS = {
    "messages": [
        USER,
        {
            "role": "assistant",
            "tool_calls": [{"id": "call_1", "function": {"name": "f", "arguments": '{"a": 1}'}, "type": "function"}],
        },
        {"role": "tool", "content": '{"b": 2}', "tool_call_id": "call_1", "name": "f"},
        ANSWER,
    ],
}

ROWS: list[tuple[str, Any, Any]] = [
    ("prompt-completion", {"prompt": "Where is it?", "completion": "There."}, CHAT),
    ("prompt-completion", {"prompt": [SYSTEM, USER], "completion": [ANSWER]}, {"messages": [SYSTEM, USER, ANSWER]}),
    ("alpaca", {"instruction": "Where is it?", "input": "", "output": "There."}, CHAT),
    (
        "alpaca",
        {"instruction": "Add.", "input": "1 2", "output": "3", "system": "Be brief.", "history": [["Hi", "Ho"]]},
        {
            "messages": [
                SYSTEM,
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Ho"},
                {"role": "user", "content": "Add.\n1 2"},
                {"role": "assistant", "content": "3"},
            ]
        },
    ),
    (
        "sharegpt",
        {
            "system": "Be brief.",
            "conversations": [
                {"from": "human", "value": "Where is it?"},
                {"from": "gpt", "value": "There.", "weight": 1},
            ],
        },
        {"messages": [SYSTEM, USER, {**ANSWER, "weight": 1}]},
    ),
    (
        "trl-preference",
        {"prompt": "Where is it?", "chosen": "There.", "rejected": "No."},
        {
            "input": {"messages": [USER]},
            "preferred_output": [ANSWER],
            "non_preferred_output": [{"role": "assistant", "content": "No."}],
        },
    ),
    (
        "trl-preference",
        {"chosen": [SYSTEM, USER, ANSWER], "rejected": [SYSTEM, USER, {"role": "assistant", "content": "No."}]},
        {
            "input": {"messages": [SYSTEM, USER]},
            "preferred_output": [ANSWER],
            "non_preferred_output": [{"role": "assistant", "content": "No."}],
        },
    ),
    (
        "gemini",
        {
            "systemInstruction": {"role": "system", "parts": [{"text": "Be brief."}]},
            "contents": [
                {"role": "user", "parts": [{"text": "Where is it?"}]},
                {"role": "model", "parts": [{"text": "There."}]},
            ],
        },
        {"messages": [SYSTEM, USER, ANSWER]},
    ),
    (
        "gemini",
        {
            "contents": [
                {"role": "user", "parts": [{"text": "Where is it?"}]},
                {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"a": 1}}}]},
                {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"b": 2}}}]},
                {"role": "model", "parts": [{"text": "There."}]},
            ],
            "tools": [{"functionDeclarations": [{"name": "f"}]}],
        },
        {**CALLS, "tools": [{"function": {"name": "f"}, "type": "function"}]},
    ),
    (
        "gemini",
        {
            "contents": [
                {
                    "role": "user",
                    "parts": [{"inlineData": {"mimeType": "image/png", "data": "aGk="}}, {"text": "What?"}],
                },
                {"role": "model", "parts": [{"text": "There."}]},
            ]
        },
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
                        {"type": "text", "text": "What?"},
                    ],
                },
                ANSWER,
            ]
        },
    ),
    (
        "bedrock",
        {
            "schemaVersion": "bedrock-conversation-2024",
            "system": [{"text": "Be brief."}],
            "messages": [
                {"role": "user", "content": [{"text": "Where is it?"}]},
                {"role": "assistant", "content": [{"text": "There."}]},
            ],
        },
        {"messages": [SYSTEM, USER, ANSWER]},
    ),
    (
        "mistral",
        {
            "messages": [
                USER,
                {
                    "role": "assistant",
                    "tool_calls": [{"id": "call_1", "function": {"name": "f", "arguments": {"a": 1}}}],
                },
                {"role": "tool", "content": '{"b": 2}', "tool_call_id": "call_1", "name": "f"},
                ANSWER,
            ],
            "tools": [{"type": "function", "function": {"name": "f"}}],
        },
        {**CALLS, "tools": [{"function": {"name": "f"}, "type": "function"}]},
    ),
    ("mistral", {"interactions": [{"role": "user", "text": "Where is it?"}, ANSWER]}, CHAT),
    ("chat", CHAT, CHAT),
]


@pytest.mark.parametrize(("name", "row", "canonical"), ROWS)
def test_a_foreign_row_is_recognised_and_read(tmp_path: Path, name: str, row: Any, canonical: Any) -> None:
    path = write(tmp_path / "data.jsonl", row, row)
    report = check(path)
    assert (report.format, report.examples, report.findings) == (name, 2, ())
    assert read(path) == [canonical, canonical]


def test_the_keys_that_gave_the_format_away_are_told(tmp_path: Path) -> None:
    report = check(write(tmp_path / "data.jsonl", {"prompt": "a", "completion": "b"}))
    assert report.why == "line 1 has the keys 'prompt', 'completion'"


def test_the_format_can_be_named(tmp_path: Path) -> None:
    path = write(tmp_path / "data.jsonl", CHAT)
    report = check(path, format="mistral")
    assert (report.format, report.why, report.findings) == ("mistral", "named by the user", ())


def test_a_key_without_place_is_told_once(tmp_path: Path) -> None:
    row = {"instruction": "Add", "output": "3", "source": "web"}
    findings = check(write(tmp_path / "data.jsonl", row, row)).findings
    assert [(finding.line, finding.path, finding.code, finding.level) for finding in findings] == [
        (1, "$.source", "key_not_read", "warning")
    ]


@pytest.mark.parametrize(
    ("row", "path", "sentence"),
    [
        (
            {"conversations": [{"from": "martian", "value": "x"}]},
            "$.conversations[0].from",
            "'martian' is not a known speaker",
        ),
        ({"conversations": [{"from": "human"}]}, "$.conversations[0]", "the key 'value' is missing"),
        ({"conversations": "hello"}, "$.conversations", "this is a string, but must be a list"),
        ({"conversations": [7]}, "$.conversations[0]", "this is a number, but must be an object"),
        ({"instruction": "a", "output": 7}, "$.output", "this is a number, but must be a string"),
        ({"instruction": "a", "output": ""}, "$.messages[1].content", "is empty (after translation to a chat)"),
        (
            {"contents": [{"role": "user", "parts": [{"video": 1}]}]},
            "$.contents[0].parts[0]",
            "the key 'text' is missing",
        ),
        (
            {
                "schemaVersion": "bedrock-conversation-2024",
                "messages": [{"role": "user", "content": [{"image": {"format": "png", "source": {"s3Location": {}}}}]}],
            },
            "$.messages[0].content[0].image.source",
            "the image is in S3",
        ),
    ],
)
def test_what_a_foreign_row_cannot_say_is_told_at_its_own_place(
    tmp_path: Path, row: Any, path: str, sentence: str
) -> None:
    errors = [finding for finding in check(write(tmp_path / "data.jsonl", row)).findings if finding.level == "error"]
    assert errors[0].path == path
    assert sentence in errors[0].message


def test_formats_do_not_mix(tmp_path: Path) -> None:
    findings = check(write(tmp_path / "data.jsonl", {"prompt": "a", "completion": "b"}, CHAT)).findings
    assert findings[0].message == (
        "this row is in the format 'chat', but the file is read as 'prompt-completion' since line 1"
    )


def test_standard_input_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO((json.dumps(CHAT) + "\n").encode())))
    assert check("-").examples == 1


def table(path: Path, *rows: dict[str, str]) -> Path:
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_csv_is_read_with_the_line_of_each_row(tmp_path: Path) -> None:
    path = table(
        tmp_path / "data.csv",
        {"prompt": "a\nb", "completion": "c"},
        {"prompt": "x", "completion": ""},
        {"prompt": "y", "completion": "z"},
    )
    report = check(path)
    assert (report.format, report.examples) == ("prompt-completion", 2)
    assert [finding.line for finding in report.findings] == [4]
    assert [line for line, _ in read_examples(table(tmp_path / "b.csv", {"prompt": "a\nb", "completion": "c"}))] == [2]


def test_json_in_a_csv_cell_is_read(tmp_path: Path) -> None:
    path = table(tmp_path / "data.csv", {"messages": json.dumps(CHAT["messages"])})
    assert read(path) == [CHAT]


def test_csv_that_is_not_utf_8_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(b"prompt,completion\na,b\ncaf\xe9,b\nc,d\n")
    report = check(path)
    assert [(finding.line, finding.code) for finding in report.findings] == [(3, "not_utf8")]
    assert report.examples == 2


def test_parquet_is_read(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "data.parquet"
    parquet.write_table(arrow.Table.from_pylist([CALLS, CHAT]), path)
    assert read(path) == [CALLS, CHAT]


def test_what_only_claims_to_be_parquet_is_said(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        check(write(tmp_path / "data.parquet", "not Parquet"))
