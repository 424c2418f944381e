"""Mistral's chat rows, which look like the canonical ones but for a few things.

Tool calls may lack `type` and hold their arguments as an object, images are plain strings, a
message may have `text` for `content`, and the row `interactions` for `messages`.
Source: Mistral's mistral-finetune repository, README and `finetune/data/tokenize.py`; read 2026-11.
"""

from __future__ import annotations

import json
from typing import Any

from ftbridge.dataset.formats.base import FieldReader, Format, JsonObject, image_part, tool_call


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
        or any("type" not in one and "function" in one for one in tool_calls)
        or any(
            isinstance(one.get("function"), dict) and isinstance(one["function"].get("arguments"), dict)
            for one in tool_calls
        )
    )


def _mistral(row: FieldReader) -> JsonObject:
    translated: JsonObject = {"messages": [_message(message) for message in row.objects("messages", "interactions")]}
    if row.has("tools"):
        translated["tools"] = row.take("tools")
    if row.has("parallel_tool_calls"):
        translated["parallel_tool_calls"] = row.take("parallel_tool_calls")
    row.warn_of_unread()
    return translated


def _message(message: FieldReader) -> JsonObject:
    translated: JsonObject = {"role": message.text("role")}
    content = message.take("content") if message.has("content") else message.take("text")
    if content is not None:
        translated["content"] = [_part(part) for part in content] if isinstance(content, list) else content
    for key in ("name", "weight", "tool_call_id"):
        if message.has(key):
            translated[key] = message.take(key)
    if message.has("tool_calls"):
        translated["tool_calls"] = [_call(one) for one in message.objects("tool_calls")]
    if message.take("prefix"):
        message.refuse(
            "'prefix' asks the model to continue a given text", "Put the complete answer into content.", "prefix"
        )
    message.warn_of_unread()
    return translated


def _part(part: Any) -> Any:
    if isinstance(part, dict) and isinstance(part.get("image_url"), str):
        return image_part(part["image_url"])
    return part


def _call(call: FieldReader) -> JsonObject:
    identifier, function = call.text("id"), call.object("function")
    call.take("type")
    call.take("index")
    name, arguments = function.text("name"), function.take("arguments")
    function.warn_of_unread()
    call.warn_of_unread()
    given = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return tool_call(identifier, name, given)


FORMATS = (Format("mistral", "chat", lambda row: "messages" in row or "interactions" in row, _mistral),)
