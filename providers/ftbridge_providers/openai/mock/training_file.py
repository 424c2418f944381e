"""How mocked OpenAI judges a training file: its own reading of the rules, with the errors users have seen.

Deliberately apart from `format`: that is ftbridge's reading, this one is what it is tested against.
Error texts: OpenAI job errors as quoted in public issue threads, 2024 to 2026.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Set
from typing import Any

import msgspec

MINIMUM_EXAMPLES = 10
_CHAT_KEYS = {"messages", "tools", "parallel_tool_calls", "functions"}
_MESSAGE_KEYS = {"role", "content", "name", "tool_calls", "tool_call_id", "weight", "function_call", "refusal"}
_ROLES = {"system", "user", "assistant", "tool", "function"}
_TASK_ROLES = {"developer", "user", "assistant", "tool"}
_PREFERENCE_KEYS = {"input", "preferred_output", "non_preferred_output"}


class FileProblem(Exception):  # noqa: N818 - it becomes the job's error, not the mock's
    """Why a job fails in validation: a code and OpenAI's words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.body = {"code": code, "message": message, "param": "training_file"}


def check_training_file(content: bytes, method: str) -> Iterator[dict[str, Any]]:
    """The rows of a file that OpenAI would train on, one at a time. Raises `FileProblem`."""
    lines = enumerate(io.BytesIO(content), start=1)
    rows = (_row(number, line) for number, line in lines if line.strip())
    number = 0
    for number, row in enumerate(rows, start=1):
        if method == "dpo":
            _check_preference(number, row)
        elif method == "reinforcement":
            _check_task(number, row)
        else:
            _check_chat(number, row)
        yield row
    if number < MINIMUM_EXAMPLES:
        said = f"Training file has {number} example(s), but must have at least {MINIMUM_EXAMPLES} examples"
        raise FileProblem("invalid_n_examples", said)


def _row(number: int, line: bytes) -> dict[str, Any]:
    try:
        try:
            row = msgspec.json.decode(line)
        except msgspec.DecodeError:  # several times as slow, the standard library takes more, and words its errors
            row = json.loads(line)
    except ValueError as problem:
        said = f"Invalid file format. Example {number} cannot be parsed. Error: line contains invalid json: {problem}"
        raise _format_error(said) from None
    if not isinstance(row, dict):
        raise _format_error(f"Invalid file format. Line {number} is not a dictionary")
    return row


def _check_chat(number: int, row: dict[str, Any]) -> None:
    if "messages" not in row:
        raise _format_error(f"Invalid file format. Example {number} is missing key 'messages'")
    _refuse_extras(number, row, _CHAT_KEYS)
    _check_messages(number, row["messages"])
    if not any(message["role"] == "assistant" for message in row["messages"]):
        raise _format_error(f"Invalid file format. Example {number} must have at least one message from the assistant")


def _check_task(number: int, row: dict[str, Any]) -> None:
    """Keys beside the messages are the grader's, and may be any."""
    if "messages" not in row:
        raise _format_error(f"Invalid file format. Example {number} is missing key 'messages'")
    _check_messages(number, row["messages"], _TASK_ROLES)
    if row["messages"][-1]["role"] != "user":
        raise _format_error(f"Invalid file format. Example {number} must end with a message from the user")


def _check_preference(number: int, row: dict[str, Any]) -> None:
    for key in sorted(_PREFERENCE_KEYS):
        if key not in row:
            raise _format_error(f"Invalid file format. Example {number} is missing key '{key}'")
    _refuse_extras(number, row, _PREFERENCE_KEYS)
    _refuse_extras(number, row["input"], _CHAT_KEYS)
    _check_messages(number, row["input"]["messages"])
    for key in ("preferred_output", "non_preferred_output"):
        if len(row[key]) != 1 or row[key][0].get("role") != "assistant":
            said = f"Invalid file format. Example {number} {key} must have exactly one assistant message"
            raise _format_error(said)


def _check_messages(number: int, messages: Any, roles: Set[str] = _ROLES) -> None:
    if not isinstance(messages, list) or not messages:
        raise _format_error(f"Invalid file format. Example {number} has no messages")
    for place, message in enumerate(messages):
        if "role" not in message:
            said = f"Invalid file format. Example {number}, message {place} Discriminator 'role' is missing in value"
            raise _format_error(said)
        if message["role"] not in roles:
            raise _format_error(f"Invalid file format. Example {number}, message {place} has an invalid role")
        _refuse_extras(number, message, _MESSAGE_KEYS)
        if message.get("weight", 0) not in (0, 1) or ("weight" in message and message["role"] != "assistant"):
            raise _format_error(f"Invalid file format. Example {number}, message {place} has an invalid weight")


def _refuse_extras(number: int, row: dict[str, Any], known: set[str]) -> None:
    for key in row:
        if key not in known:
            raise _format_error(f'Invalid file format. Example {number} contains an extra "{key}".')


def _format_error(said: str) -> FileProblem:
    return FileProblem("invalid_file_format", f"The job failed due to a file format error in the training file. {said}")
