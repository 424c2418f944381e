"""Rows in OpenAI's shape with the differences that other programs write, alone and among canonical ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from as_it_is import AsItIs
from foreign_rows import ANSWER, SYSTEM, TOOL, USER, WORSE, call, problems, read, result, write
from ftbridge.dataset import Diagnostics, check, convert, prepare
from ftbridge.dataset.formats.base import FieldReader
from ftbridge.dataset.formats.chat import read_variant

CANONICAL: dict[str, Any] = {
    "messages": [USER, {"role": "assistant", "tool_calls": [call(1, '{"a": 1}')]}, result(1, "1", name="f"), ANSWER],
    "tools": [TOOL],
}
TRL: dict[str, Any] = {
    "messages": [
        USER,
        {"role": "assistant", "tool_calls": [{"type": "function", "function": {"name": "f", "arguments": {"a": 1}}}]},
        {"role": "tool", "name": "f", "content": "1"},
        ANSWER,
    ],
    "tools": [TOOL],
}
OLD = {
    "messages": [
        USER,
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": '{"a": 1}'}},
        {"role": "function", "name": "f", "content": "1"},
        ANSWER,
    ],
    "functions": [{"name": "f"}],
}


def with_call(given: Any) -> dict[str, Any]:
    return {**TRL, "messages": [USER, {"role": "assistant", "tool_calls": [given]}, *TRL["messages"][2:]]}


@pytest.mark.parametrize(
    "row",
    [
        TRL,
        OLD,
        {**OLD, "function_call": "auto"},
        with_call({"name": "f", "arguments": {"a": 1}}),
        with_call({"id": None, "function": {"name": "f", "arguments": '{"a": 1}'}}),
        with_call({"id": "call_1", "type": "function", "index": 0, "function": {"name": "f", "arguments": {"a": 1}}}),
        {**TRL, "tools": json.dumps([TOOL])},
        {**TRL, "tools": [json.dumps(TOOL)]},
        {**TRL, "tools": [{"name": "f"}]},
        {**TRL, "tools": [{"type": "function", "name": "f"}]},
    ],
)
def test_calls_and_tools_are_read_however_they_are_written(tmp_path: Path, row: Any) -> None:
    assert problems(tmp_path, row) == []
    assert read(tmp_path / "rows.jsonl") == [CANONICAL]


def test_results_without_an_id_answer_the_calls_of_their_name_in_order() -> None:
    calls: list[Any] = [{"function": {"name": name, "arguments": {}}} for name in ("f", "g", "f")]
    results = [{"role": "tool", "name": name, "content": name} for name in ("g", "f", "f")]
    row = {"messages": [USER, {"role": "assistant", "tool_calls": calls}, *results, ANSWER]}
    made = read_variant(FieldReader(row, Diagnostics()), "chat")
    assert [one["id"] for one in made["messages"][1]["tool_calls"]] == ["call_1", "call_2", "call_3"]
    assert [one["tool_call_id"] for one in made["messages"][2:5]] == ["call_2", "call_1", "call_3"]


def test_a_result_of_another_name_answers_no_call(tmp_path: Path) -> None:
    row = {**TRL, "messages": [*TRL["messages"][:2], {"role": "tool", "name": "g", "content": "1"}, ANSWER]}
    assert ("error", "$.messages[2].tool_call_id", "'' does not match an open tool call") in problems(tmp_path, row)


def test_such_rows_are_read_among_canonical_ones_whichever_comes_first(tmp_path: Path) -> None:
    plain = {"messages": [USER, ANSWER]}
    for rows in ((plain, TRL, OLD), (TRL, plain, OLD)):
        path = write(tmp_path / "rows.jsonl", *rows)
        assert (check(path).format, check(path).errors) == ("chat", 0)
        assert [CANONICAL if row in (TRL, OLD) else plain for row in rows] == read(path)


def test_what_is_written_is_canonical(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", {"messages": [USER, ANSWER]}, TRL)
    assert check(path, converters=[AsItIs()]).findings == ()
    done = convert(path, AsItIs(), tmp_path / "out.jsonl")
    assert (done.exact, done.impossible) == (2, ())
    assert [json.loads(line) for line in done.out.read_text().splitlines()] == [{"messages": [USER, ANSWER]}, CANONICAL]
    prepared = prepare(path, tmp_path / "prepared", dedupe="none", validation=0).train.path
    assert read(prepared) == [{"messages": [USER, ANSWER]}, CANONICAL]


@pytest.mark.parametrize(
    ("row", "messages"),
    [
        ({"messages": [USER, ANSWER], "system": "Be brief."}, [SYSTEM, USER, ANSWER]),
        (
            {
                "messages": [
                    {"role": "System", "content": "Be brief."},
                    {"role": "User", "content": "Where is it?"},
                    {"role": "Chatbot", "content": "There."},
                ]
            },
            [SYSTEM, USER, ANSWER],
        ),
        ({"messages": [USER, {**WORSE, "train": False}, USER, ANSWER]}, [USER, {**WORSE, "weight": 0}, USER, ANSWER]),
        (
            {
                "messages": [{"role": "user", "content": [{"type": "text", "text": "?"}, {"type": "image"}]}, ANSWER],
                "images": ["https://a/1.png"],
            },
            [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "?"},
                        {"type": "image_url", "image_url": {"url": "https://a/1.png"}},
                    ],
                },
                ANSWER,
            ],
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image", "url": "https://a/1.png"}]}, ANSWER]},
            [
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a/1.png"}}]},
                ANSWER,
            ],
        ),
    ],
)
def test_what_is_said_beside_or_within_the_messages_is_read(tmp_path: Path, row: Any, messages: Any) -> None:
    assert problems(tmp_path, row) == []
    assert read(tmp_path / "rows.jsonl") == [{"messages": messages}]


def test_thinking_is_reasoning() -> None:
    row = {"messages": [USER, {**ANSWER, "thinking": "Hm."}]}
    made = read_variant(FieldReader(row, Diagnostics()), "chat")
    assert made == {"messages": [USER, {**ANSWER, "reasoning_content": "Hm."}]}


def test_a_preference_and_a_task_may_be_written_in_such_ways_too(tmp_path: Path) -> None:
    pair = {
        "input": {**TRL, "messages": TRL["messages"][:3]},
        "preferred_output": [ANSWER],
        "non_preferred_output": [WORSE],
    }
    assert problems(tmp_path, pair) == []
    assert read(tmp_path / "rows.jsonl")[0]["input"] == {**CANONICAL, "messages": CANONICAL["messages"][:3]}
    task = {"messages": [*TRL["messages"], USER], "tools": [{"name": "f"}], "reference": {"answer": "There."}}
    assert problems(tmp_path, task) == []
    assert read(tmp_path / "rows.jsonl") == [
        {"messages": [*CANONICAL["messages"], USER], "tools": [TOOL], "reference": {"answer": "There."}}
    ]


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ({"function_call": {"name": "f"}}, "$.function_call"),
        ({"tool_choice": "required"}, "$.tool_choice"),
        ({"videos": ["a.mp4"]}, "$.videos"),
        ({"audios": ["a.wav"]}, "$.audios"),
        ({"chat_template_kwargs": {"enable_thinking": False}}, "$.chat_template_kwargs"),
    ],
)
def test_what_a_chat_cannot_say_is_refused(tmp_path: Path, keys: Any, path: str) -> None:
    found = problems(tmp_path, {"messages": [USER, ANSWER], **keys})
    assert [finding[:2] for finding in found] == [("error", path)]


def test_what_a_function_returns_is_left_out_with_a_warning(tmp_path: Path) -> None:
    tool = {"type": "function", "function": {"name": "f", "return": {"type": "string"}}}
    found = problems(tmp_path, {**TRL, "tools": [tool]})
    assert [finding[:2] for finding in found] == [("warning", "$.tools[0].function.return")]
    assert read(tmp_path / "rows.jsonl") == [CANONICAL]


def test_what_is_wrong_with_such_a_row_is_told_at_its_own_place(tmp_path: Path) -> None:
    row = {**OLD, "mood": "calm"}
    assert problems(tmp_path, row) == [("error", "$.mood", "'mood' is not a key of a chat")]


@pytest.mark.parametrize("key", ["weight", "train", "training", "loss"])
def test_a_weight_may_be_any_number_that_is_0_or_1(tmp_path: Path, key: str) -> None:
    row = {"messages": [USER, {**WORSE, key: 0.0}, USER, {**ANSWER, key: 1.0}]}
    assert problems(tmp_path, row) == []
    prepare(tmp_path / "rows.jsonl", tmp_path / "out", validation=0)
    expected = {"messages": [USER, {**WORSE, "weight": 0}, USER, {**ANSWER, "weight": 1}]}
    written = (tmp_path / "out" / "train.jsonl").read_bytes()
    assert json.loads(written) == expected
    assert b".0" not in written


def test_a_weight_that_is_a_fraction_is_refused_with_what_to_write(tmp_path: Path) -> None:
    report = check(write(tmp_path / "rows.jsonl", {"messages": [USER, {**ANSWER, "loss": 0.5}]}))
    assert report.findings[0].fix == "Write it as 'weight', 0 or 1, for not trained or trained."
