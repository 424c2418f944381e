"""Each way in which a row is not a valid chat has one finding, at its path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ftbridge.dataset import Diagnostics, FileLimits, check
from ftbridge.dataset.canonical.example import Example, Shape
from planted_rows import ANSWER, CALL, CALLING, GOOD, RESULT, TOOLS, USER, chat, only, write


def tool_row(**changes: Any) -> dict[str, Any]:
    return chat(USER, {"role": "assistant", "tool_calls": [{**CALL, **changes}]}, tools=TOOLS)


ROWS = [
    (chat(), "$.messages", "empty_messages", "there are no messages"),
    (chat(USER), "$.messages", "no_assistant", "there is no assistant message"),
    (chat(USER, ANSWER, USER), "$.messages[2]", "last_not_assistant", "the last message is from 'user'"),
    (chat(USER, {**ANSWER, "weight": 0}), "$.messages", "nothing_trained", "every assistant message has weight 0"),
    (chat({**USER, "role": "humann"}, ANSWER), "$.messages[0].role", "unknown_role", "'humann' is not a role"),
    (chat({**USER, "role": 5}, ANSWER), "$.messages[0].role", "unknown_role", "'5' is not a role"),
    (chat({"content": "x"}, ANSWER), "$.messages[0]", "missing_role", "the key 'role' is missing"),
    (chat({"role": "user"}, ANSWER), "$.messages[0]", "missing_key", "a user message needs the key 'content'"),
    (chat({**USER, "content": 5}, ANSWER), "$.messages[0].content", "wrong_type", "this is a number (5), but must be"),
    (chat({**USER, "content": None}, ANSWER), "$.messages[0].content", "wrong_type", "this is null, but must be"),
    (chat({**USER, "content": {"a": 1}}, ANSWER), "$.messages[0].content", "wrong_type", "this is an object, but must"),
    (chat({**USER, "content": ""}, ANSWER), "$.messages[0].content", "empty_content", "the user message is empty"),
    (
        chat(USER, {**ANSWER, "content": " \n"}),
        "$.messages[1].content",
        "empty_content",
        "assistant message is empty",
    ),
    (chat(USER, {"role": "assistant"}), "$.messages[1].content", "empty_content", "assistant message is empty"),
    (chat({**USER, "content": []}, ANSWER), "$.messages[0].content", "empty_content", "user message is empty"),
    (
        chat({**USER, "contents": "x"}, ANSWER),
        "$.messages[0].contents",
        "unknown_key",
        "'contents' is not a key of a user",
    ),
    (chat(USER, ANSWER, persona="pirate"), "$.persona", "unknown_key", "'persona' is not a key of a chat"),
    (
        chat({**USER, "tool_calls": [CALL]}, ANSWER),
        "$.messages[0].tool_calls",
        "unknown_key",
        "'tool_calls' is not a key of a user message",
    ),
    (
        chat(USER, {**ANSWER, "weight": 0.5}),
        "$.messages[1].weight",
        "wrong_type",
        "this is a number (0.5), but must be 0 or 1",
    ),
    (chat(USER, {**ANSWER, "weight": True}), "$.messages[1].weight", "wrong_type", "this is true, but must be 0 or 1"),
    (chat("hello", ANSWER), "$.messages[0]", "wrong_type", "this is a string ('hello'), but must be"),
    ({"messages": "hello"}, "$.messages", "wrong_type", "this is a string ('hello'), but must be a list"),
    (
        chat(USER, CALLING, USER, ANSWER, tools=TOOLS),
        "$.messages[1].tool_calls[0]",
        "unanswered_tool_call",
        "'call_1' is not answered",
    ),
    (
        chat(USER, RESULT, ANSWER),
        "$.messages[1].tool_call_id",
        "tool_call_id",
        "'call_1' does not match an open tool call",
    ),
    (tool_row(type="fn"), "$.messages[1].tool_calls[0].type", "wrong_type", "must be 'function'"),
    (tool_row(id=""), "$.messages[1].tool_calls[0].id", "tool_call_id", "the call has no id"),
    (
        tool_row(function={"name": "look", "arguments": "{broken"}),
        "$.messages[1].tool_calls[0].function.arguments",
        "arguments",
        "the arguments are not a JSON object: '{broken'",
    ),
    (
        tool_row(function={"name": "look", "arguments": ["a"]}),
        "$.messages[1].tool_calls[0].function.arguments",
        "wrong_type",
        "this is a list, but must be a string",
    ),
    (
        chat({**USER, "content": [{"type": "image_url", "image_url": {"url": "cat.png"}}]}, ANSWER),
        "$.messages[0].content[0].image_url.url",
        "image_url",
        "'cat.png' is neither a web address nor a data URL",
    ),
    (
        chat({**USER, "content": [{"type": "audio", "text": "x"}]}, ANSWER),
        "$.messages[0].content[0].type",
        "unknown_type",
        "'audio' is not a type",
    ),
    (
        chat(USER, ANSWER, tools=[{"type": "function", "function": {"name": "a"}}] * 2),
        "$.tools[1].function.name",
        "tool_name",
        "'a' is declared twice",
    ),
    (
        {"text": "x"},
        "$",
        "mixed_shapes",
        "this row is in the format 'text', but the file is read as 'chat' since line 1",
    ),
    (
        {"input": chat(USER), "preferred_output": [ANSWER], "non_preferred_output": [ANSWER]},
        "$",
        "mixed_shapes",
        "this row is in the format 'preference', but the file is read as 'chat' since line 1",
    ),
]


@pytest.mark.parametrize(("row", "path", "code", "sentence"), ROWS)
def test_a_row_that_is_not_a_valid_chat(tmp_path: Path, row: Any, path: str, code: str, sentence: str) -> None:
    finding = only(check(write(tmp_path, GOOD, row, GOOD)))
    assert (finding.line, finding.path, finding.code, finding.level) == (2, path, code, "error")
    assert sentence in finding.message
    assert finding.fix


def test_all_problems_of_a_row_are_reported_at_once(tmp_path: Path) -> None:
    row = chat({"role": "usr", "content": "x"}, {"role": "assistant", "contnt": 5}, tool=[])
    found = {finding.path for finding in check(write(tmp_path, row)).findings}
    assert found == {"$.tool", "$.messages[0].role", "$.messages[1].contnt"}


def test_the_fix_for_a_misspelt_key_is_the_nearest_one(tmp_path: Path) -> None:
    row = chat(USER, {"role": "assistant", "content": "x", "tool_call": []})
    assert only(check(write(tmp_path, row))).fix == "Did you mean 'tool_calls'?"


def test_escape_sequences_do_not_reach_the_message(tmp_path: Path) -> None:
    row = chat({**USER, "role": "\x1b]8;;http://x\x07[bold red]\u202e"}, ANSWER)
    message = only(check(write(tmp_path, GOOD, row))).message
    assert message.isprintable()
    assert "[bold red]" in message


class Refusing:
    """A target that wants every tool declared."""

    target = "refusing"
    shapes: frozenset[Shape] = frozenset({"chat"})
    limits = FileLimits()

    def convert(self, example: Example, diagnostics: Diagnostics) -> Any:
        diagnostics.error("$.messages[1].tool_calls[0].function.name", "tool_not_defined", "not defined", "Define it.")


def test_one_defect_is_reported_once(tmp_path: Path) -> None:
    path = write(tmp_path, chat(USER, CALLING, RESULT, ANSWER, tools=[]))
    assert only(check(path)).code == "undeclared_tool"
    assert only(check(path, converters=[Refusing()])).code == "tool_not_defined"


@pytest.mark.parametrize(
    ("row", "message", "fix"),
    [
        (
            chat({**USER, "content": ["Hello"]}, ANSWER),
            "this is a string ('Hello'), but must be an object: a text part or an image part",
            'Write it as {"type": "text", "text": …}.',
        ),
        (
            chat({**USER, "content": [5]}, ANSWER),
            "this is a number (5), but must be an object: a text part or an image part",
            "Make it an object: a text part or an image part.",
        ),
        (
            chat(USER, {**ANSWER, "tool_calls": ["look"]}),
            "this is a string ('look'), but must be a tool call, an object",
            "Make it a tool call, an object.",
        ),
    ],
)
def test_a_value_of_the_wrong_type_is_told_what_it_must_be(tmp_path: Path, row: Any, message: str, fix: str) -> None:
    found = only(check(write(tmp_path, row)))
    assert (found.code, found.message, found.fix) == ("wrong_type", message, fix)
