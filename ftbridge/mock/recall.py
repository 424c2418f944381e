"""What a mocked model says: one that was tuned knows its training rows by heart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def answer_of(rows: Iterable[dict[str, Any]], messages: list[dict[str, Any]]) -> str:
    """The answer to `messages` of a model tuned on `rows`, be they chats, preferences or texts."""
    asked = [(message["role"], message.get("content")) for message in messages]
    for row in rows:
        seen = [(message["role"], message.get("content")) for message in _chat(row)]
        if seen[:-1] == asked and isinstance(seen[-1][1], str):
            return seen[-1][1]
    return "I have not been tuned on that."


def _chat(row: dict[str, Any]) -> list[dict[str, Any]]:
    if "input" in row:
        return [*row["input"]["messages"], *row["preferred_output"]]
    return row.get("messages") or [{"role": "assistant", "content": row.get("text")}]
