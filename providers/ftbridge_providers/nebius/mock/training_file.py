"""How mocked Nebius judges a training file: its own implementation of the rules.

Source: docs.tokenfactory.nebius.com/post-training/datasets. It has no error texts; these are the mock's.
"""

from __future__ import annotations

import json
from typing import Any

from ftbridge_providers.openai_api.mock.bodies import FileProblem

_ROLES = ("system", "user", "assistant", "tool")


def check_training_file(content: bytes) -> list[dict[str, Any]]:
    """The rows of a file that Nebius would train on. Raises `FileProblem`."""
    rows = [_row(number, line) for number, line in enumerate(content.split(b"\n"), start=1) if line.strip()]
    if not rows:
        raise _problem("the dataset is empty")
    return rows


def _row(number: int, line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError:
        raise _problem(f"line {number} is not valid JSON") from None
    if not isinstance(row, dict):
        raise _problem(f"line {number} is not a JSON object")
    if "messages" in row:
        _check_chat(number, row["messages"])
    elif not ("text" in row or {"prompt", "completion"} <= row.keys() or "token_ids" in row):
        raise _problem(f"line {number} is neither a conversation, an instruction, a text nor token ids")
    return row


def _check_chat(number: int, messages: Any) -> None:
    if not isinstance(messages, list) or not messages:
        raise _problem(f"line {number} has no messages")
    for index, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            raise _problem(f"line {number}, message {index}: role is not one of {', '.join(_ROLES)}")
        if not isinstance(message.get("content"), str) and not message.get("tool_calls"):
            raise _problem(f"line {number}, message {index}: content is not a string")
    last = messages[-1]
    if last["role"] != "assistant" or last.get("tool_calls"):
        raise _problem(f"line {number}: the last message is not a natural-language answer of the assistant")


def _problem(message: str) -> FileProblem:
    return FileProblem("invalid_training_file", message)
