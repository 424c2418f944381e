"""How mocked OpenAI judges files of reinforcement."""

from __future__ import annotations

from typing import Any

from ftbridge_providers.openai_api.gpt.mock.training_file import check_messages, format_error

_ROLES = {"developer", "user", "assistant", "tool"}


def check_task(number: int, row: dict[str, Any]) -> None:
    """Raises `FileProblem` for a row that is not a task; keys beside the messages are the grader's, and may be any."""
    if "messages" not in row:
        raise format_error(f"Invalid file format. Example {number} is missing key 'messages'")
    check_messages(number, row["messages"], _ROLES)
    if row["messages"][-1]["role"] != "user":
        raise format_error(f"Invalid file format. Example {number} must end with a message from the user")
