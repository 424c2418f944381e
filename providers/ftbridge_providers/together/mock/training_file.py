"""How mocked Together judges a training file: its own implementation of the rules, with Together's messages.

It is independent of `format` on purpose: ftbridge's implementation is tested against it.
Rules: the checks of together 1.5.34 (utils/files), which have moved to the server, with the roles
and columns that 3.1.1 knows (lib/constants).
"""

from __future__ import annotations

import json
from typing import Any

FORMATS = {
    "general": {"text"},
    "conversation": {"messages"},
    "instruction": {"prompt", "completion"},
    "preference_openai": {"input", "preferred_output", "non_preferred_output"},
}
_OPTIONAL = {"tools", "weight"}
_ROLES = {"system", "user", "assistant", "tool"}


class FileProblem(Exception):  # noqa: N818 - it becomes the file's validation report, not the mock's error
    """Why a file is INVALID_FORMAT: Together's message."""


def check_training_file(content: bytes) -> tuple[str, list[dict[str, Any]]]:
    """The format of a file, and its rows. Raises `FileProblem`."""
    try:
        lines = content.decode("utf-8").split("\n")
    except UnicodeDecodeError as problem:
        raise FileProblem(f"File is not UTF-8 encoded. Error raised: {problem}") from None
    rows, dataset_format = [], ""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        row = _row(number, line)
        kind = _format(number, row)
        if dataset_format and kind != dataset_format:
            raise FileProblem(
                f"All samples in the dataset must have the same dataset format. Got {dataset_format} and {kind}."
            )
        dataset_format = kind
        rows.append(row)
    if not rows:
        raise FileProblem("Processing the file resulted in only 0 samples. Our minimum is 1 sample.")
    return dataset_format, rows


def _row(number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError:
        raise FileProblem(f"Error parsing json payload. Unexpected format on line {number}.") from None
    if not isinstance(row, dict):
        raise FileProblem(f"Error parsing file. Invalid format on line {number}. Each line must be a JSON object.")
    return row


def _format(number: int, row: dict[str, Any]) -> str:
    kinds = [kind for kind, columns in FORMATS.items() if columns <= row.keys()]
    if len(kinds) != 1:
        raise FileProblem(f"Error parsing file. Could not detect a single dataset format on line {number}.")
    extra = sorted(row.keys() - FORMATS[kinds[0]] - _OPTIONAL)
    if extra:
        raise FileProblem(f"Found extra columns {extra} on line {number}.")
    if kinds[0] == "conversation":
        _check_messages(number, row["messages"])
        if not any(message["role"] == "assistant" for message in row["messages"]):
            raise FileProblem(f"At least one message with role `assistant` must be present on line {number}.")
    elif kinds[0] == "preference_openai":
        _check_preference(number, row)
    elif not all(isinstance(row[column], str) for column in FORMATS[kinds[0]]):
        raise FileProblem(f"Invalid value type on line {number}. Expected string.")
    return kinds[0]


def _check_preference(number: int, row: dict[str, Any]) -> None:
    _check_messages(number, row["input"].get("messages"))
    if row["input"]["messages"][-1]["role"] == "assistant":
        raise FileProblem(f"The last message of `input` must not be from the assistant on line {number}.")
    for column in ("preferred_output", "non_preferred_output"):
        if len(row[column]) != 1 or row[column][0].get("role") != "assistant":
            raise FileProblem(f"`{column}` must hold exactly one assistant message on line {number}.")


def _check_messages(number: int, messages: Any) -> None:
    if not isinstance(messages, list) or not messages:
        raise FileProblem(f"Expected a non-empty list of messages on line {number}.")
    previous = ""
    for message in messages:
        if not isinstance(message, dict) or "role" not in message:
            raise FileProblem(f"Field `role` is missing for a turn on line {number}.")
        role = message["role"]
        if role not in _ROLES:
            raise FileProblem(f"Found invalid role `{role}` in the messages on line {number}.")
        if message.get("content") is None and not message.get("tool_calls"):
            raise FileProblem(f"Field `content` is missing for a turn on line {number}.")
        if message.get("weight", 0) not in (0, 1):
            raise FileProblem(f"Weight must be either 0 or 1 on line {number}.")
        if role == previous and role != "tool":
            raise FileProblem(f"Invalid role turns on line {number}: two messages of role `{role}` in a row.")
        previous = role
