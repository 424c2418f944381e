"""Mistral's chat rows, which differ from the canonical ones in a few details.

Tool calls may lack `type` and have their arguments as an object, images are plain strings, a
message may have `text` for `content`, the row `interactions` for `messages` and `available_tools` for
`tools`, and with `only_last` only the last answer is trained.
Source: Mistral's mistral-finetune repository, README and `finetune/data/tokenize.py`; read 2026-11.
"""

from __future__ import annotations

from typing import Any

from ftbridge.dataset.formats.base import FieldReader, Format, JsonObject
from ftbridge.dataset.formats.calls import CallIds
from ftbridge.dataset.formats.complete import complete_chat
from ftbridge.dataset.formats.messages import take_messages
from ftbridge.dataset.formats.tools import take_tools


def is_mistral(row: JsonObject) -> bool:
    """Whether something in `row` is written in Mistral's way, and not in the canonical one."""
    if "interactions" in row:
        return True
    messages = row.get("messages")
    return isinstance(messages, list) and any(isinstance(message, dict) and _differs(message) for message in messages)


def _differs(message: JsonObject) -> bool:
    content, calls = message.get("content"), message.get("tool_calls")
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    tool_calls = [one for one in calls if isinstance(one, dict)] if isinstance(calls, list) else []
    return (
        "prefix" in message
        or ("text" in message and "content" not in message)
        or any(isinstance(part.get("image_url"), str) for part in parts)
        or any(_is_mistral_call(one) for one in tool_calls)
    )


def _is_mistral_call(call: JsonObject) -> bool:
    """Mistral's calls always have an id; those of transformers have arguments as an object too, and none."""
    function = call.get("function")
    return (
        call.get("id") is not None
        and isinstance(function, dict)
        and ("type" not in call or isinstance(function.get("arguments"), dict))
    )


def _mistral(row: FieldReader) -> JsonObject:
    key = "messages" if row.has("messages") else "interactions"
    if not isinstance(row.peek(key), list):
        row.objects(key)  # which says what is wrong
        return {}
    messages = take_messages(row, key, "user", CallIds())
    translated = complete_chat(row, messages)
    if row.has("available_tools") and "tools" not in translated:
        translated["tools"] = take_tools(row, "available_tools")
    if row.take("only_last"):
        _train_last(messages)
    row.finish()
    return translated


def _train_last(messages: list[Any]) -> None:
    answers = [one for one in messages if isinstance(one, dict) and one.get("role") == "assistant"]
    for answer in answers[:-1]:
        answer["weight"] = 0


FORMATS = (Format("mistral", "chat", lambda row: "messages" in row or "interactions" in row, _mistral),)
