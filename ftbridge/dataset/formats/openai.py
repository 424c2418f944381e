"""OpenAI's rows for reinforcement: what the grader reads stands beside the messages, under any names.

So nothing tells them from chats with a slip in a key, and they are read only where that is asked for.
Source: OpenAI's guide to reinforcement fine-tuning, "Prepare your dataset"; read 2026-11.
"""

from __future__ import annotations

from ftbridge.dataset.formats.base import FieldReader, Format, Keys

_OF_THE_CHAT = ("messages", "tools", "parallel_tool_calls")


def _task(row: FieldReader) -> Keys:
    chat = {key: row.anything(key) for key in _OF_THE_CHAT if row.has(key)}
    return {**chat, "reference": row.rest()}


FORMATS = (Format("openai-rft", "task", lambda row: "messages" in row, _task),)
