"""How the mock judges a training file: its own implementation of the rules, with the errors that users have seen.

It is independent of `format` on purpose: ftbridge's implementation is tested against it.
Error texts: OpenAI job errors as quoted in public issue threads, 2024 to 2026.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Set
from typing import Any

import msgspec

from ftbridge_providers.openai_api.mock.bodies import FileProblem

MINIMUM_EXAMPLES = 10
_CHAT_KEYS = {"messages", "tools", "parallel_tool_calls", "functions"}
_MESSAGE_KEYS = {"role", "content", "name", "tool_calls", "tool_call_id", "weight", "function_call", "refusal"}
_ROLES = {"system", "user", "assistant", "tool", "function"}
_PREFERENCE_KEYS = {"input", "preferred_output", "non_preferred_output"}


def check_training_file(content: bytes, check: Callable[[int, dict[str, Any]], None]) -> list[dict[str, Any]]:
    """The rows of a file, each of which passes `check` with its number. Raises `FileProblem`."""
    rows = [_row(number, line) for number, line in enumerate(content.split(b"\n"), start=1) if line.strip()]
    for number, row in enumerate(rows, start=1):
        check(number, row)
    if len(rows) < MINIMUM_EXAMPLES:
        reason = f"Training file has {len(rows)} example(s), but must have at least {MINIMUM_EXAMPLES} examples"
        raise FileProblem("invalid_n_examples", reason)
    return rows


def _row(number: int, line: bytes) -> dict[str, Any]:
    try:
        try:
            row = msgspec.json.decode(line)
        except msgspec.DecodeError:  # the standard library is slower, takes more, and its errors are OpenAI's
            row = json.loads(line)
    except ValueError as problem:
        reason = f"Invalid file format. Example {number} cannot be parsed. Error: line contains invalid json: {problem}"
        raise format_error(reason) from None
    if not isinstance(row, dict):
        raise format_error(f"Invalid file format. Line {number} is not a dictionary")
    return row


def check_chat(number: int, row: dict[str, Any]) -> None:
    """Raises `FileProblem` for a row that is not a chat."""
    if "messages" not in row:
        raise format_error(f"Invalid file format. Example {number} is missing key 'messages'")
    _refuse_extras(number, row, _CHAT_KEYS)
    check_messages(number, row["messages"])
    if not any(message["role"] == "assistant" for message in row["messages"]):
        raise format_error(f"Invalid file format. Example {number} must have at least one message from the assistant")


def check_preference(number: int, row: dict[str, Any]) -> None:
    """Raises `FileProblem` for a row that is not a preference."""
    for key in sorted(_PREFERENCE_KEYS):
        if key not in row:
            raise format_error(f"Invalid file format. Example {number} is missing key '{key}'")
    _refuse_extras(number, row, _PREFERENCE_KEYS)
    _refuse_extras(number, row["input"], _CHAT_KEYS)
    check_messages(number, row["input"]["messages"])
    for key in ("preferred_output", "non_preferred_output"):
        if len(row[key]) != 1 or row[key][0].get("role") != "assistant":
            reason = f"Invalid file format. Example {number} {key} must have exactly one assistant message"
            raise format_error(reason)


def check_messages(number: int, messages: Any, roles: Set[str] = _ROLES) -> None:
    """Raises `FileProblem` for messages with unknown roles, keys or weights."""
    if not isinstance(messages, list) or not messages:
        raise format_error(f"Invalid file format. Example {number} has no messages")
    for index, message in enumerate(messages):
        if "role" not in message:
            reason = f"Invalid file format. Example {number}, message {index} Discriminator 'role' is missing in value"
            raise format_error(reason)
        if message["role"] not in roles:
            raise format_error(f"Invalid file format. Example {number}, message {index} has an invalid role")
        _refuse_extras(number, message, _MESSAGE_KEYS)
        if message.get("weight", 0) not in (0, 1) or ("weight" in message and message["role"] != "assistant"):
            raise format_error(f"Invalid file format. Example {number}, message {index} has an invalid weight")


def _refuse_extras(number: int, row: dict[str, Any], known: set[str]) -> None:
    for key in row:
        if key not in known:
            raise format_error(f'Invalid file format. Example {number} contains an extra "{key}".')


def format_error(reason: str) -> FileProblem:
    """The error that fails a job for the format of its file."""
    message = f"The job failed due to a file format error in the training file. {reason}"
    return FileProblem("invalid_file_format", message)
