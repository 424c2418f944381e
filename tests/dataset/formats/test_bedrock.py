"""Bedrock's conversation rows: blocks in order, tools, reasoning, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from foreign_rows import ANSWER, USER, call, problems, result, translated

ASKED = {"role": "user", "content": [{"text": "Where is it?"}]}
USE = {"toolUse": {"toolUseId": "call_1", "name": "f", "input": {"a": 1}}}
RESULT = {"toolResult": {"toolUseId": "call_1", "content": [{"json": {"b": 2}}]}}
CALLING = {"role": "assistant", "tool_calls": [call(1, '{"a": 1}')]}


def row(*turns: Any, **keys: Any) -> dict[str, Any]:
    return {"schemaVersion": "bedrock-conversation-2024", "messages": [ASKED, *turns], **keys}


def assistant(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def test_calls_results_and_what_is_said_after_them_are_in_order() -> None:
    made = translated(
        row(assistant({"text": "I look."}, USE), user(RESULT, {"text": "And?"}), assistant({"text": "There."}))
    )
    assert made["messages"] == [
        USER,
        {**CALLING, "content": "I look."},
        result(1, '{"b": 2}'),
        {"role": "user", "content": "And?"},
        ANSWER,
    ]


def test_several_texts_stay_parts() -> None:
    made = translated(
        {
            "schemaVersion": "bedrock-conversation-2024",
            "system": [{"text": "A"}, {"text": "B"}, {"cachePoint": {"type": "default"}}],
            "messages": [user({"text": "C"}, {"text": "D"}), assistant({"text": "There."})],
        }
    )
    parts = [{"type": "text", "text": text} for text in "ABCD"]
    assert [one["content"] for one in made["messages"]] == [parts[:2], parts[2:], "There."]


def test_reasoning_is_no_part_of_the_answer() -> None:
    thought = {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "x"}}}
    assert translated(row(assistant(thought, {"text": "There."})))["messages"] == [
        USER,
        {**ANSWER, "reasoning_content": "Hm."},
    ]


def test_the_tools_of_the_row_are_read() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    spec = {"name": "f", "description": "Finds", "inputSchema": {"json": schema}}
    made = translated(row(assistant({"text": "There."}), toolConfig={"tools": [{"toolSpec": spec}]}))
    assert made["tools"] == [
        {"type": "function", "function": {"name": "f", "description": "Finds", "parameters": schema}}
    ]


@pytest.mark.parametrize(
    ("turn", "keys", "path"),
    [
        (user({"text": "x"}, RESULT), {}, "$.messages[2].content[1]"),
        (assistant(USE, {"text": "x"}), {}, "$.messages[2].content[1]"),
        (user({"document": {"name": "a"}}), {}, "$.messages[2].content[0]"),
        (user({"video": {"format": "mp4"}}), {}, "$.messages[2].content[0]"),
        (assistant({"reasoningContent": {"redactedContent": "x"}}), {}, "$.messages[2].content[0].reasoningContent"),
        (
            user({"toolResult": {**RESULT["toolResult"], "status": "error"}}),
            {},
            "$.messages[2].content[0].toolResult.status",
        ),
        (user({"text": "x"}), {"toolConfig": {"tools": [], "toolChoice": {"any": {}}}}, "$.toolConfig.toolChoice"),
    ],
)
def test_what_a_chat_cannot_say_is_refused(tmp_path: Path, turn: Any, keys: Any, path: str) -> None:
    found = problems(tmp_path, row(assistant(USE), turn, **keys))
    assert ("error", path) in [finding[:2] for finding in found]


@pytest.mark.parametrize(
    ("key", "block"),
    [
        ("image", {"image": {"format": "png", "source": {"bytes": "aGk="}}}),
        ("document", {"text": "There.", "document": {"name": "a"}}),
    ],
)
def test_what_no_result_or_system_prompt_has_is_refused(tmp_path: Path, key: str, block: Any) -> None:
    sentence = f"a block with '{key}' is not read here"
    answer = {"toolResult": {"toolUseId": "call_1", "content": [block]}}
    made = problems(tmp_path, row(assistant(USE), user(answer), assistant({"text": "There."})))
    assert made[0] == ("error", "$.messages[2].content[0].toolResult.content[0]", sentence)
    assert problems(tmp_path, row(assistant({"text": "There."}), system=[block])) == [
        ("error", "$.system[0]", sentence)
    ]


def test_keys_within_blocks_that_nobody_knows_are_refused(tmp_path: Path) -> None:
    reasoning = {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "x", "a": 1}, "b": 2}}
    schema = {"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}, "c": 3}}}
    tools = {"tools": [schema], "toolChoice": {"auto": {}}}
    found = problems(tmp_path, row(assistant(reasoning, {"text": "There."}), toolConfig=tools))
    assert [(level, path.rpartition(".")[2]) for level, path, _ in found] == [
        ("error", "a"),
        ("error", "b"),
        ("error", "c"),
    ]
