"""A key that holds nothing is absent, and Together's word for the reasoning is read as ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from openai.types.chat import ChatCompletionMessage

from as_it_is import AsItIs
from ftbridge.dataset import check, convert, read_examples
from planted_rows import ANSWER, CALL, TOOLS, USER, chat, only, write

NULLS = {"refusal": None, "audio": None, "function_call": None}


def written(folder: Path, row: Any) -> tuple[Any, dict[str, tuple[int, int]]]:
    """What the target gets for a row, and what is reported as changed."""
    done = convert(write(folder, row), AsItIs(), folder / "out.jsonl")
    return json.loads(done.out.read_text()), done.changed


@pytest.mark.parametrize(
    ("row", "meant"),
    [
        (chat(USER, {**ANSWER, **NULLS}), chat(USER, ANSWER)),
        (chat(USER, {**ANSWER, "annotations": None}), chat(USER, ANSWER)),
        (chat(USER, {**ANSWER, "annotations": []}), chat(USER, ANSWER)),
        (chat({**USER, "name": None}, {**ANSWER, "weight": None, "tool_calls": None}), chat(USER, ANSWER)),
        (chat(USER, ANSWER, tools=None, parallel_tool_calls=None, source=None), chat(USER, ANSWER)),
        ({"text": "Once", "messages_of": None}, {"text": "Once"}),
        (
            {"input": chat(USER, text=None), "preferred_output": [{**ANSWER, **NULLS}], "non_preferred_output": [USER]},
            None,
        ),
    ],
)
def test_a_key_that_is_null_is_absent(tmp_path: Path, row: Any, meant: Any) -> None:
    if meant is None:
        other = {**ANSWER, "content": "No"}
        row = {**row, "non_preferred_output": [other]}
        meant = {"input": chat(USER), "preferred_output": [ANSWER], "non_preferred_output": [other]}
    assert check(write(tmp_path, row)).findings == ()
    assert written(tmp_path, row) == (meant, {"empty_keys_removed": (1, 1)})


@pytest.mark.parametrize(
    "message", [ANSWER, {**ANSWER, "annotations": []}, {"role": "assistant", "tool_calls": [CALL], "content": None}]
)
def test_what_openais_sdk_writes_of_an_answer_is_read(tmp_path: Path, message: dict[str, Any]) -> None:
    dumped = ChatCompletionMessage.model_validate(message).model_dump()
    assert dumped["refusal"] is None
    row = chat(USER, dumped, tools=TOOLS)
    assert check(write(tmp_path, row)).findings == ()
    given = {key: value for key, value in message.items() if value not in (None, [])}
    assert [msgspec.to_builtins(example)["messages"][1] for _, example in read_examples(write(tmp_path, row))] == [
        given
    ]


def test_a_null_that_is_a_value_stays(tmp_path: Path) -> None:
    parameters = {"type": "object", "properties": {"unit": {"enum": ["C", None], "default": None}}}
    tools = [{"type": "function", "function": {"name": "look", "parameters": parameters}}]
    for row in (chat(USER, ANSWER, tools=tools), {**chat(USER), "reference": {"answer": None}}):
        assert check(write(tmp_path, row)).findings == ()
        assert written(tmp_path, row) == (row, {})
        row["messages"][0] = {**USER, "name": None}
        assert written(tmp_path, row) == (
            {**row, "messages": [USER, *row["messages"][1:]]},
            {"empty_keys_removed": (1, 1)},
        )


def test_a_null_content_beside_calls_is_passed_on_as_the_same_bytes(tmp_path: Path) -> None:
    row = chat(USER, {"role": "assistant", "content": None, "tool_calls": [CALL]}, tools=TOOLS)
    assert written(tmp_path, row) == (row, {})


@pytest.mark.parametrize(
    ("message", "fix"),
    [
        ({"refusal": "I cannot help with that."}, "Write it as the content, if the model shall learn to say it."),
        ({"annotations": [{"type": "url_citation"}]}, "Remove it: no vendor trains on it."),
        ({"audio": {"id": "audio_1"}}, "Remove it: no vendor trains on it."),
    ],
)
def test_what_carries_meaning_is_refused(tmp_path: Path, message: dict[str, Any], fix: str) -> None:
    found = only(check(write(tmp_path, chat(USER, {**ANSWER, **message}))))
    assert (found.code, found.path) == ("unknown_key", f"$.messages[1].{next(iter(message))}")
    assert found.fix == fix


def test_togethers_word_for_the_reasoning_is_read_as_ours(tmp_path: Path) -> None:
    row = chat(USER, {**ANSWER, "reasoning": "They greet me."})
    assert check(write(tmp_path, row)).findings == ()
    meant = chat(USER, {**ANSWER, "reasoning_content": "They greet me."})
    assert written(tmp_path, row) == (meant, {"reasoning_renamed": (1, 1)})
    assert written(tmp_path, meant) == (meant, {})
    twice = chat(USER, {**ANSWER, "reasoning": "They greet me.", "reasoning_content": "They greet me."})
    assert written(tmp_path, twice) == (meant, {"reasoning_renamed": (1, 1)})


def test_two_different_reasonings_are_refused(tmp_path: Path) -> None:
    row = chat(USER, {**ANSWER, "reasoning": "They greet me.", "reasoning_content": "A greeting."})
    found = only(check(write(tmp_path, row)))
    assert (found.code, found.path) == ("unknown_key", "$.messages[1].reasoning")
    assert found.fix == "Keep one of 'reasoning' and 'reasoning_content'."


def test_only_answers_are_reasoned(tmp_path: Path) -> None:
    found = only(check(write(tmp_path, chat({**USER, "reasoning_content": "Hm."}, ANSWER))))
    assert (found.code, found.path) == ("unknown_key", "$.messages[0].reasoning_content")
    assert found.fix == "Only assistant messages have a reasoning."


def test_a_table_and_a_line_are_spelt_alike(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    row = chat(USER, {**ANSWER, **NULLS, "reasoning": "They greet me."})["messages"]
    quoted = json.dumps(row).replace('"', '""')
    path.write_text(f'messages\n"{quoted}"\n')
    [(_, example)] = read_examples(path)
    assert msgspec.to_builtins(example) == chat(USER, {**ANSWER, "reasoning_content": "They greet me."})


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (r'"\u0072easoning": "Hm."', "reasoning_renamed"),
        (r'"reas\u006fning": "Hm."', "reasoning_renamed"),
        (r'"annot\u0061tions": []', "empty_keys_removed"),
        (r'"re\u0066usal": null', "empty_keys_removed"),
    ],
)
def test_a_key_that_is_written_with_escapes_is_respelled_as_any(tmp_path: Path, key: str, code: str) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps(chat(USER, ANSWER))[:-3] + f", {key}}}]}}\n")
    done = convert(path, AsItIs(), tmp_path / "out.jsonl")
    assert done.changed == {code: (1, 1)}
    assert "\\u" not in done.out.read_text()
