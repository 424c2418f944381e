"""Glaive's function-calling rows as they are published: texts, in which the turns, calls and functions are marked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from foreign_rows import call, problems, read, result
from ftbridge.dataset import check

FUNCTIONS = """{
    "name": "rate",
    "description": "Get the rate",
    "parameters": {"type": "object", "properties": {"base": {"type": "string"}}, "required": ["base"]}
}

{"name": "news"}
"""
WITH_TOOLS = "SYSTEM: You are a helpful assistant with access to the following functions. Use them if required -\n"
WITHOUT = "SYSTEM: You are a helpful assistant, with no access to external functions."
CALLED = (
    "USER: What is a dollar?\n\n\n"
    """ASSISTANT: <functioncall> {"name": "rate", "arguments": '{"base": "the dollar\\'s"}'} <|endoftext|>\n\n\n"""
    'FUNCTION RESPONSE: {"rate": 0.85}\n\n\n'
    "ASSISTANT: It is 0.85 euros.\n\nUSER is not a turn. <|endoftext|>\n\n\n"
)


def test_turns_calls_and_functions_are_read(tmp_path: Path) -> None:
    assert problems(tmp_path, {"system": WITH_TOOLS + FUNCTIONS, "chat": CALLED}) == []
    [made] = read(tmp_path / "rows.jsonl")
    assert made["messages"] == [
        {"role": "user", "content": "What is a dollar?"},
        {"role": "assistant", "tool_calls": [call(1, '{"base": "the dollar\'s"}', "rate")]},
        result(1, '{"rate": 0.85}'),
        {"role": "assistant", "content": "It is 0.85 euros.\n\nUSER is not a turn."},
    ]
    assert [tool["function"]["name"] for tool in made["tools"]] == ["rate", "news"]
    assert made["tools"][0]["function"]["parameters"]["required"] == ["base"]


def test_a_row_without_functions_is_a_chat(tmp_path: Path) -> None:
    row = {"system": WITHOUT, "chat": "USER: Hi\n\n\nASSISTANT: Hello <|endoftext|>\n\n\n"}
    assert problems(tmp_path, row) == []
    assert read(tmp_path / "rows.jsonl") == [
        {
            "messages": [
                {"role": "system", "content": WITHOUT.removeprefix("SYSTEM: ")},
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Hello"},
            ]
        }
    ]


@pytest.mark.parametrize(
    "called", ['{"name": "rate", "arguments": {"base": 1}}', '{"name": "rate", "arguments": "{}"}']
)
def test_arguments_may_be_json_as_well(tmp_path: Path, called: str) -> None:
    chat = CALLED.replace("""{"name": "rate", "arguments": '{"base": "the dollar\\'s"}'}""", called)
    row = {"system": "", "chat": chat}
    assert [level for level, _, _ in problems(tmp_path, row)] == ["warning"]  # no function is declared
    [made] = read(tmp_path / "rows.jsonl")
    assert made["messages"][1]["tool_calls"][0]["function"]["arguments"] in ('{"base": 1}', "{}")


@pytest.mark.parametrize(
    ("row", "path", "sentence"),
    [
        (
            {"system": WITH_TOOLS + '{"name": ', "chat": CALLED},
            "$.system",
            "the functions that the system prompt announces are not JSON",
        ),
        (
            {"chat": CALLED.replace("0.85}", "0.85}\n\n\nFUNCTION RESPONSE: {}")},
            "$.chat",
            "there is a function response, and no call before",
        ),
        ({"chat": CALLED.replace("'{", "{")}, "$.chat", "a call in the dialogue cannot be read"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, row: Any, path: str, sentence: str) -> None:
    assert ("error", path, sentence) in problems(tmp_path, row)


def test_a_chat_of_another_kind_is_in_no_known_format(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"chat": "Hello"}\n')
    assert check(tmp_path / "rows.jsonl").format == "unknown"
