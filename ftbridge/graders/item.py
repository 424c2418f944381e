"""What graders read of a row: the namespace `item`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ftbridge.dataset.canonical.example import Assistant, Chat
from ftbridge.graders.sample import text_of_content


def expected_answer(chat: Chat) -> str:
    """The text of the last message, without white space around it; empty where it is no text of the assistant's."""
    last = chat.messages[-1]
    return text_of_content(msgspec.to_builtins(last.content)).strip() if isinstance(last, Assistant) else ""


def item_of(chat: Chat, reference: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    """The messages and tools, and what the `reference` of a task has.

    Of a chat that ends with an answer `reference_answer` is its text: so OpenAI's guide to graders calls it (2026-11).
    """
    row: dict[str, Any] = msgspec.to_builtins(chat)
    if isinstance(chat.messages[-1], Assistant):
        row["reference_answer"] = expected_answer(chat)
    return row if reference is None else {**reference, **row, "reference": reference}
