"""The mock's own reading of Mistral's rules: what ftbridge writes passes, and each mistake is told in their words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ftbridge_providers.mistral.mock.training_file import SampleProblem, UploadProblem, check_samples, read_rows

USER = {"role": "user", "content": "q"}
ANSWER = {"role": "assistant", "content": "a"}
CALL = {"id": "abcdefgh1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
CALLING = {"role": "assistant", "tool_calls": [CALL]}
FOUND = {"role": "tool", "content": "found", "tool_call_id": "abcdefgh1"}
FUNCTION = {"name": "look", "description": "", "parameters": {"type": "object"}}
TOOL = {"type": "function", "function": FUNCTION}


def with_call(**changes: Any) -> dict[str, Any]:
    return {**CALLING, "tool_calls": [{**CALL, **changes}]}


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [{"role": "system", "content": "s"}, USER, USER, ANSWER, {**ANSWER, "weight": 0}]},
        {"messages": [USER, CALLING, FOUND, ANSWER], "tools": [TOOL]},
        {"messages": [USER, CALLING]},
        {"interactions": [USER, {"role": "assistant", "text": "a"}]},
        {"text": "once"},
    ],
)
def test_what_mistral_takes(row: dict[str, Any]) -> None:
    check_samples([row])


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ([USER], "Expected last role Assistant for finetuning but got user"),
        ([{"content": "q"}, ANSWER], "A message does not contain a 'role' key"),
        ([{**USER, "role": "developer"}, ANSWER], "The role developer is not one of"),
        ([{**USER, "text": "q"}, ANSWER], "A user message contains both a 'text' and 'content' key"),
        ([{"role": "user"}, ANSWER], r"A user message does not contain one of '\['content', 'text'\]' key"),
        ([{"role": "system", "content": "s"}] * 2 + [USER, ANSWER], "Multiple messages with role 'system'"),
        ([USER, {**ANSWER, **CALLING}], "must have either content or tool_calls, but not both"),
        ([USER, {**ANSWER, "content": ""}], "must have either content or tool_calls, but not both"),
        ([USER, {**ANSWER, "weight": 0.5}], "weight must be either 0 or 1"),
        ([USER, with_call(id="call_abc123")], "Tool call id was call_abc123 but must be"),
        ([USER, CALLING, {**FOUND, "tool_call_id": "x"}, ANSWER], "Tool call id was x but must be"),
        ([USER, CALLING, ANSWER], "Not the same number of function calls and responses"),
        ([USER, with_call(function={"name": "look", "arguments": {}})], "'arguments' key of type str"),
        ([USER, with_call(function={"name": "look up", "arguments": "{}"})], "Function name was look up but must be"),
        ([], "The conversation has no messages"),
    ],
)
def test_what_fails_a_job(messages: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(SampleProblem, match=f"Sample 2: .*{message}"):
        check_samples([{"text": "fine"}, {"messages": messages}])


@pytest.mark.parametrize("missing", ["name", "description", "parameters"])
def test_a_tool_is_described_in_full(missing: str) -> None:
    function = {name: value for name, value in FUNCTION.items() if name != missing}
    with pytest.raises(SampleProblem, match=f"A function dict does not have a {missing} key"):
        check_samples([{"messages": [USER, ANSWER], "tools": [{"type": "function", "function": function}]}])


def test_a_file_is_refused_at_once_with_the_lines_that_are_no_rows() -> None:
    rows: list[Any] = [{"messages": [USER, ANSWER]}, [1], {"prompt": "p"}, {"messages": [], "interactions": []}]
    content = b"\n".join([*(json.dumps(row).encode() for row in rows), b"{"])
    with pytest.raises(UploadProblem) as problem:
        read_rows(content)
    assert problem.value.body["detail"] == "Invalid file format."
    assert [(error["line_number"], error["message"][:36]) for error in problem.value.body["errors"]] == [
        (2, "The line is not a JSON object."),
        (3, "The conversation does not contain on"),
        (4, "The conversation cannot contain both"),
        (5, "Invalid JSON."),
    ]


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(UploadProblem):
        read_rows(b"")
