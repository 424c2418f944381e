"""How mocked Mistral judges a training file: its own implementation of the rules, with Mistral's error texts.

It is independent of `format` on purpose: ftbridge's implementation is tested against it.
Texts: mistral-finetune (finetune/data/tokenize.py, 2024-08), the V3 fine-tuning validator of
mistral-common 1.13.1, and answers to uploads as quoted in public test fixtures.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

_ROLES = ("system", "user", "assistant", "tool")
_CALL_ID = re.compile(r"[a-zA-Z0-9]{9}")
_FUNCTION_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_NO_MESSAGES = "The conversation does not contain one of 'messages, interactions' key, but only {keys}."
_BOTH = "The conversation cannot contain both of 'messages' and 'interactions'."


class UploadProblem(Exception):  # noqa: N818 - it becomes the vendor's answer, not the mock's failure
    """Why an upload is refused: the body of the 422."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors)
        self.body: dict[str, Any] = {
            "detail": "Invalid file format.",
            "description": "Found errors in the file.",
            "errors": errors,
        }


class SampleProblem(Exception):  # noqa: N818 - it becomes the job's failure, not the mock's
    """Why a job fails in validation: Mistral's message."""


def read_rows(content: bytes) -> list[dict[str, Any]]:
    """The rows of a file whose lines are objects of a known shape. Raises `UploadProblem` naming up to ten lines."""
    rows, errors = [], []
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            rows.append(_row(line))
        except ValueError as problem:
            errors.append({"message": str(problem), "line_number": number})
    if errors or not rows:
        raise UploadProblem(errors[:10] or [{"message": "The file is empty.", "line_number": 1}])
    return rows


def sample_type(rows: list[dict[str, Any]]) -> str:
    """Mistral's name for the kind of the rows."""
    return "pretrain" if "text" in rows[0] else "instruct"


def check_samples(rows: list[dict[str, Any]]) -> None:
    """Raises `SampleProblem` for the first conversation that cannot be trained."""
    for number, row in enumerate(rows, start=1):
        if "text" in row:
            continue
        try:
            _check_conversation(row)
        except SampleProblem as problem:
            raise SampleProblem(f"Sample {number}: {problem}") from None


def _row(line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError:
        raise ValueError("Invalid JSON.") from None
    if not isinstance(row, dict):
        raise ValueError("The line is not a JSON object.")  # noqa: TRY004 - the caller expects ValueError for any fault of a line
    if "text" not in row and not ("messages" in row) ^ ("interactions" in row):
        raise ValueError(_BOTH if "messages" in row else _NO_MESSAGES.format(keys=", ".join(row)))
    return row


def _check_conversation(row: dict[str, Any]) -> None:
    messages = row.get("messages", row.get("interactions"))
    if not isinstance(messages, list) or not messages:
        raise SampleProblem("The conversation has no messages.")
    for tool in row.get("tools") or []:
        _check_tool(tool)
    open_calls = 0
    for message in messages:
        if "role" not in message:
            raise SampleProblem(f"A message does not contain a 'role' key, but only {', '.join(message)}.")
        if message["role"] not in _ROLES:
            raise SampleProblem(f"The role {message['role']} is not one of {', '.join(_ROLES)}.")
        _check_content(message)
        if message["role"] == "assistant" and open_calls:
            raise SampleProblem("Not the same number of function calls and responses")
        open_calls += len(message.get("tool_calls") or []) - (message["role"] == "tool")
        if message["role"] in _CHECKS:
            _CHECKS[message["role"]](message)
    if sum(message["role"] == "system" for message in messages) > 1:
        raise SampleProblem("Multiple messages with role 'system' encountered. Only one is allowed.")
    if messages[-1]["role"] != "assistant":
        raise SampleProblem(f"Expected last role Assistant for finetuning but got {messages[-1]['role']}")


def _check_content(message: dict[str, Any]) -> None:
    role = message["role"]
    if "text" in message and "content" in message:
        raise SampleProblem(f"A {role} message contains both a 'text' and 'content' key.")
    if message.get("content", message.get("text")) is None and not message.get("tool_calls"):
        raise SampleProblem(f"A {role} message does not contain one of '['content', 'text']' key.")


def _check_assistant(message: dict[str, Any]) -> None:
    calls = message.get("tool_calls") or []
    if bool(message.get("content") or message.get("text")) == bool(calls):
        raise SampleProblem("Assistant message must have either content or tool_calls, but not both.")
    if message.get("weight", 1) not in (0, 1):
        raise SampleProblem("Assistant message weight must be either 0 or 1")
    for call in calls:
        _check_call_id(call.get("id"))
        function = call.get("function") or {}
        _check_function_name(function.get("name"))
        if not isinstance(function.get("arguments"), str):
            raise SampleProblem("A function call dict does not have a 'arguments' key of type str")


def _check_response(message: dict[str, Any]) -> None:
    _check_call_id(message.get("tool_call_id"))


def _check_call_id(name: Any) -> None:
    if not isinstance(name, str) or not _CALL_ID.fullmatch(name):
        raise SampleProblem(f"Tool call id was {name} but must be a-z, A-Z, 0-9, with a length of 9.")


def _check_function_name(name: Any) -> None:
    if not isinstance(name, str) or not _FUNCTION_NAME.fullmatch(name):
        rule = "must be a-z, A-Z, 0-9, or contain underscores and dashes, with a maximum length of 64."
        raise SampleProblem(f"Function name was {name} but {rule}")


def _check_tool(tool: dict[str, Any]) -> None:
    function = tool.get("function") or {}
    for key in ("name", "description", "parameters"):
        if key not in function:
            raise SampleProblem(f"A function dict does not have a {key} key.")
    if not isinstance(function["parameters"], dict):
        raise SampleProblem("A function dict does not have a parameters key of type dict.")
    _check_function_name(function["name"])


_CHECKS: dict[str, Callable[[dict[str, Any]], None]] = {"assistant": _check_assistant, "tool": _check_response}
