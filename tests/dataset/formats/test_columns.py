"""A question and an answer in columns: prompt/completion, input/output, Alpaca and dolly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from foreign_rows import ANSWER, SYSTEM, TOOL, USER, call, problems, read, result, translated

PARTS = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": "https://a/1.png"}}]


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("input-output", {"input": "Where is it?", "output": "There."}),
        ("input-output", {"input": [USER], "output": [ANSWER]}),
        ("input-output", {"input": [USER], "output": ANSWER}),
        ("dolly", {"instruction": "Where is it?", "context": "", "response": "There."}),
        ("prompt-completion", {"prompt": "\n\nHuman: Where is it?\n\nAssistant:", "completion": "There."}),
    ],
)
def test_a_question_and_an_answer_are_a_chat(tmp_path: Path, name: str, row: Any) -> None:
    assert problems(tmp_path, row) == []
    assert read(tmp_path / "rows.jsonl") == [{"messages": [USER, ANSWER]}]


@pytest.mark.parametrize(
    ("row", "before"),
    [
        ({"human": "Where is it?", "assistant": "There."}, []),
        ({"query": "Where is it?", "response": "There."}, []),
        ({"query": "Where is it?", "response": "There.", "history": [], "system": ""}, []),
        (
            {"query": "Where is it?", "response": "There.", "history": [["a", "b"]], "system": "Be brief."},
            [SYSTEM, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}],
        ),
    ],
)
def test_the_rows_of_ms_swift_are_chats(tmp_path: Path, row: Any, before: list[Any]) -> None:
    assert problems(tmp_path, row) == []
    assert read(tmp_path / "rows.jsonl") == [{"messages": [*before, USER, ANSWER]}]


@pytest.mark.parametrize(
    "row",
    [
        {"instruction": "Sum up.", "input": "A long text.", "output": "Short."},
        {"instruction": "Sum up.", "context": "A long text.", "response": "Short."},
    ],
)
def test_what_an_instruction_is_about_is_on_the_next_line(row: dict[str, Any]) -> None:
    assert translated(row)["messages"][0]["content"] == "Sum up.\nA long text."


def test_answers_in_the_prompt_are_not_trained_as_trl_trains_the_completion_only() -> None:
    old, system = {"role": "assistant", "content": "old"}, SYSTEM
    made = translated({"prompt": [system, USER, old, USER], "completion": [ANSWER]})
    assert made["messages"] == [system, USER, {**old, "weight": 0}, USER, ANSWER]


def test_calls_before_and_in_the_completion_have_ids_and_results() -> None:
    calling = {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}
    answer = {"role": "tool", "name": "f", "content": "1"}
    made = translated({"prompt": [USER, calling], "completion": [answer, calling, answer, ANSWER], "tools": [TOOL]})
    assert made["messages"] == [
        USER,
        {"role": "assistant", "tool_calls": [call(1)], "weight": 0},
        result(1, "1", name="f"),
        {"role": "assistant", "tool_calls": [call(2)]},
        result(2, "1", name="f"),
        ANSWER,
    ]
    assert made["tools"] == [TOOL]


def test_a_prompt_of_parts_is_one_message(tmp_path: Path) -> None:
    row = {"prompt": PARTS, "completion": [{"type": "text", "text": "A cat."}]}
    assert problems(tmp_path, row) == []
    assert read(tmp_path / "rows.jsonl") == [
        {
            "messages": [
                {"role": "user", "content": PARTS},
                {"role": "assistant", "content": [{"type": "text", "text": "A cat."}]},
            ]
        }
    ]


def test_a_column_that_is_null_is_absent(tmp_path: Path) -> None:
    row = {
        "prompt": "Where is it?",
        "completion": "There.",
        "chosen": None,
        "rejected": None,
        "label": None,
        "id": None,
    }
    assert problems(tmp_path, row) == []
    assert read(tmp_path / "rows.jsonl") == [{"messages": [USER, ANSWER]}]


def test_the_images_of_an_instruction_are_put_into_it() -> None:
    row = {"instruction": "<image>What is it?", "output": "A cat.", "images": ["https://a/1.png"]}
    assert translated(row)["messages"][0]["content"] == [PARTS[1], PARTS[0]]


def test_a_dialogue_that_ends_within_an_answer_is_refused(tmp_path: Path) -> None:
    """As two messages it would be another answer than the one that is meant."""
    row = {"prompt": "\n\nHuman: Where is it?\n\nAssistant: It is", "completion": " there."}
    sentence = "the dialogue ends within an answer, of which an example cannot train the rest alone"
    assert problems(tmp_path, row) == [("error", "$.prompt", sentence)]
