"""OpenAI's rows for reinforcement: what the grader reads is beside the messages, under any names.

So they cannot be told from chats with a mistyped key, and are read only where the user names the format.
Source: OpenAI's guide to reinforcement fine-tuning, "Prepare your dataset"; read 2026-11.
"""

from __future__ import annotations

from ftbridge.dataset.formats.base import FieldReader, Format, JsonObject

_CHAT_KEYS = ("messages", "tools", "parallel_tool_calls")


def _task(row: FieldReader) -> JsonObject:
    chat = {key: row.take(key) for key in _CHAT_KEYS if row.has(key)}
    return {**chat, "reference": row.take_rest()}


FORMATS = (Format("openai-rft", "task", lambda row: "messages" in row, _task),)
