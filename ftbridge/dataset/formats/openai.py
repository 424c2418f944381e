"""OpenAI's rows for reinforcement: what the grader reads is beside the messages, under any names.

So they cannot be told from chats with a mistyped key, and are read only where the user names the format.
Source: OpenAI's guide to reinforcement fine-tuning, "Prepare your dataset"; read 2026-11.
"""

from __future__ import annotations

from ftbridge.dataset.formats.base import FieldReader, Format, JsonObject
from ftbridge.dataset.formats.calls import CallIds
from ftbridge.dataset.formats.messages import take_messages
from ftbridge.dataset.formats.tools import take_tools


def _task(row: FieldReader) -> JsonObject:
    task: JsonObject = {}
    if row.has("messages"):
        task["messages"] = take_messages(row, "messages", "user", CallIds())
    if row.has("tools"):
        task["tools"] = take_tools(row, "tools")
    if row.has("parallel_tool_calls"):
        task["parallel_tool_calls"] = row.take("parallel_tool_calls")
    return {**task, "reference": row.take_rest()}


FORMATS = (Format("openai-rft", "task", lambda row: "messages" in row, _task),)
