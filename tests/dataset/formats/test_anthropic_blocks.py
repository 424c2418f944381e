"""Chats in the blocks of Anthropic's Messages API: calls, results, thoughts and images, where a chat has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from foreign_rows import ANSWER, USER, problems, read

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"name": "weather", "description": "The weather of a city.", "input_schema": SCHEMA}
USE = {"type": "tool_use", "id": "toolu_01", "name": "weather", "input": {"city": "Köln"}}
OTHER_USE = {"type": "tool_use", "id": "toolu_02", "name": "weather", "input": {"city": "Bonn"}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_01", "content": "Rain"}
CALL = {"id": "toolu_01", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Köln"}'}}
PNG = "iVBORw0KGgo="


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def row(*messages: Any, **beside: Any) -> dict[str, Any]:
    return {"messages": list(messages), "tools": [TOOL], **beside}


def assistant(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def messages(folder: Path, given: dict[str, Any]) -> list[Any]:
    assert problems(folder, given) == []
    [made] = read(folder / "rows.jsonl")
    return [*made["messages"]]


def test_calls_keep_their_ids_and_results_are_messages_before_what_the_user_says(tmp_path: Path) -> None:
    thought = {"type": "thinking", "thinking": "Look.", "signature": "EqQB"}
    given = row(
        USER,
        assistant(thought, text("I look it up."), USE),
        user({**RESULT, "content": [text("Rain")], "cache_control": {"type": "ephemeral"}}, text("And tomorrow?")),
        ANSWER,
        system="Be brief.",
        tool_choice={"type": "auto"},
    )
    assert messages(tmp_path, given) == [
        {"role": "system", "content": "Be brief."},
        USER,
        {"role": "assistant", "content": "I look it up.", "tool_calls": [CALL], "reasoning_content": "Look."},
        {"role": "tool", "content": "Rain", "tool_call_id": "toolu_01"},
        {"role": "user", "content": "And tomorrow?"},
        ANSWER,
    ]
    [made] = read(tmp_path / "rows.jsonl")
    function = {"name": "weather", "description": "The weather of a city.", "parameters": SCHEMA}
    assert made["tools"] == [{"type": "function", "function": function}]


def test_two_calls_at_once_have_two_results(tmp_path: Path) -> None:
    other = {"type": "tool_result", "tool_use_id": "toolu_02", "is_error": False, "content": "Sun"}
    given = row(USER, assistant(USE, OTHER_USE), user(RESULT, other), ANSWER)
    _, called, first, second, _ = messages(tmp_path, given)
    assert [call["id"] for call in called["tool_calls"]] == ["toolu_01", "toolu_02"]
    assert "content" not in called
    assert [(one["tool_call_id"], one["content"]) for one in (first, second)] == [
        ("toolu_01", "Rain"),
        ("toolu_02", "Sun"),
    ]


def test_texts_and_images_stay_in_their_order(tmp_path: Path) -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    linked = {"type": "image", "source": {"type": "url", "url": "https://a.example/1.png"}}
    [first, _] = messages(tmp_path, {"messages": [user(text("One:"), image, text("Two:"), linked), ANSWER]})
    assert [part.get("text") or part["image_url"]["url"] for part in first["content"]] == [
        "One:",
        f"data:image/png;base64,{PNG}",
        "Two:",
        "https://a.example/1.png",
    ]


@pytest.mark.parametrize(
    ("spoilt", "path", "message"),
    [
        ([USER, assistant(USE, text("Done.")), user(RESULT), ANSWER], "[1].content[1]", "the text comes after a call"),
        ([USER, assistant(USE), user(text("So?"), RESULT), ANSWER], "[2].content[1]", "the result comes after some"),
        ([USER, assistant(USE), user({**RESULT, "is_error": True}), ANSWER], "[2].content[0].is_error", "an error is"),
        ([USER, assistant(text("a"), {"type": "thinking", "thinking": "b"})], "[1].content[1]", "the thought comes"),
        ([USER, assistant({"type": "redacted_thinking", "data": "x"})], "[1].content[0]", "'redacted_thinking'"),
        ([USER, assistant({**USE, "caller": "x"}), user(RESULT), ANSWER], "[1].content[0].caller", "'caller' means"),
        (
            [USER, assistant(USE), user({**RESULT, "content": [{"type": "image", "source": {}}]}), ANSWER],
            "[2].content[0].content[0]",
            "a result in a chat is text alone",
        ),
    ],
)
def test_what_a_chat_cannot_say_is_refused_where_it_stands(
    tmp_path: Path, spoilt: list[Any], path: str, message: str
) -> None:
    found = problems(tmp_path, row(*spoilt))
    assert ("error", f"$.messages{path}") in [(level, at) for level, at, _ in found]
    assert any(message in said for _, _, said in found)


def test_a_call_without_its_result_is_told_as_in_every_chat(tmp_path: Path) -> None:
    [(level, path, message)] = problems(tmp_path, row(USER, assistant(USE), ANSWER))
    assert (level, path) == ("error", "$.messages[1].tool_calls[0]")
    assert "the call 'toolu_01' is not answered" in message


def test_where_messages_were_divided_their_numbers_are_said_to_be_others(tmp_path: Path) -> None:
    given = row(USER, assistant(USE), user(RESULT, text("So?")), assistant(OTHER_USE), ANSWER)
    [(_, path, message)] = problems(tmp_path, given)
    assert (path, message.endswith(" (after translation to a chat)")) == ("$.messages[4].tool_calls[0]", True)


def test_an_answer_of_a_preference_may_call(tmp_path: Path) -> None:
    pair = {
        "input": {"messages": [USER], "tools": [TOOL]},
        "preferred_output": [assistant(text("I look."), USE)],
        "non_preferred_output": [ANSWER],
    }
    assert problems(tmp_path, pair) == []
    [made] = read(tmp_path / "rows.jsonl")
    assert made["preferred_output"] == [{"role": "assistant", "content": "I look.", "tool_calls": [CALL]}]
