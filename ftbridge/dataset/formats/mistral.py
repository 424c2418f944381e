"""Mistral's chat rows, which look like the canonical ones but for a few things.

Tool calls may lack `type` and hold their arguments as an object, images are plain strings, a
message may say `text` for `content`, and the row `interactions` for `messages`.
Source: Mistral's mistral-finetune repository, README and `finetune/data/tokenize.py`; read 2026-11.
"""

from __future__ import annotations

import json
from typing import Any

from ftbridge.dataset.formats.base import FieldReader, Format, Keys, call, image


def speaks_mistral(row: Keys) -> bool:
    """Whether something in `row` is as Mistral writes it, and as the canonical format does not."""
    if "interactions" in row:
        return True
    messages = row.get("messages")
    return isinstance(messages, list) and any(isinstance(message, dict) and _differs(message) for message in messages)


def _differs(message: Keys) -> bool:
    content, calls = message.get("content"), message.get("tool_calls")
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    made = [one for one in calls if isinstance(one, dict)] if isinstance(calls, list) else []
    return (
        "prefix" in message
        or ("text" in message and "content" not in message)
        or any(isinstance(part.get("image_url"), str) for part in parts)
        or any("type" not in one and "function" in one for one in made)
        or any(
            isinstance(one.get("function"), dict) and isinstance(one["function"].get("arguments"), dict) for one in made
        )
    )


def _mistral(row: FieldReader) -> Keys:
    translated: Keys = {"messages": [_message(message) for message in row.objects("messages", "interactions")]}
    if row.has("tools"):
        translated["tools"] = row.anything("tools")
    if row.has("parallel_tool_calls"):
        translated["parallel_tool_calls"] = row.anything("parallel_tool_calls")
    row.done()
    return translated


def _message(message: FieldReader) -> Keys:
    said: Keys = {"role": message.text("role")}
    content = message.anything("content") if message.has("content") else message.anything("text")
    if content is not None:
        said["content"] = [_part(part) for part in content] if isinstance(content, list) else content
    for key in ("name", "weight", "tool_call_id"):
        if message.has(key):
            said[key] = message.anything(key)
    if message.has("tool_calls"):
        said["tool_calls"] = [_call(one) for one in message.objects("tool_calls")]
    if message.anything("prefix"):
        message.refuse(
            "'prefix' asks the model to go on with a given start", "Put the whole answer into content.", "prefix"
        )
    message.done()
    return said


def _part(part: Any) -> Any:
    if isinstance(part, dict) and isinstance(part.get("image_url"), str):
        return image(part["image_url"])
    return part


def _call(made: FieldReader) -> Keys:
    identifier, function = made.text("id"), made.object("function")
    made.anything("type")
    made.anything("index")
    name, arguments = function.text("name"), function.anything("arguments")
    function.done()
    made.done()
    given = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return call(identifier, name, given)


FORMATS = (Format("mistral", "chat", lambda row: "messages" in row or "interactions" in row, _mistral),)
