"""Content in the blocks of Anthropic's Messages API, as messages of a chat.

    {"type": "tool_use", "id", "name", "input"}         {"type": "tool_result", "tool_use_id", "content", "is_error"}
    {"type": "thinking", "thinking", "signature"}       {"type": "image", "source": {"type", "media_type", "data"}}

A chat has calls after the text of a message, and results in messages of their own, before what the user says. Source:
platform.claude.com, API reference, "Create a Message", `ContentBlockParam`; read 2026-11.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from ftbridge.dataset.formats.base import (
    FieldReader,
    JsonObject,
    as_content,
    image_part,
    text_part,
    tool_call,
    tool_message,
)
from ftbridge.dataset.formats.calls import CallIds
from ftbridge.dataset.formats.tools import arguments_text
from ftbridge.wording import printable

At: TypeAlias = tuple[str | int, ...]

_OWN = frozenset({"tool_use", "tool_result", "thinking", "redacted_thinking"})
_READ = "text, image, tool_use, tool_result and thinking"


class _Blocks(NamedTuple):
    """What the blocks of a message are, each kind in order."""

    parts: list[JsonObject]
    calls: list[JsonObject]
    results: list[JsonObject]
    thoughts: list[str]


def has_blocks(content: Any) -> bool:
    """Whether there are blocks that a message of a chat does not have."""
    return isinstance(content, list) and any(isinstance(one, dict) and _is_own(one) for one in content)


def _is_own(block: JsonObject) -> bool:
    return block.get("type") in _OWN or (block.get("type") == "image" and isinstance(block.get("source"), dict))


def messages_of(one: JsonObject, row: FieldReader, at: At, calls: CallIds) -> list[JsonObject]:
    """The messages that a message with such blocks is: the results that it has, then the rest of it."""
    found = _Blocks([], [], [], [])
    for index, given in enumerate(one["content"]):
        if isinstance(given, dict):
            block = row.below(given, *at, "content", index)
            _read(block, found, calls)
            block.finish()
        else:
            row.refuse("a block has to be an object", "Write blocks with a type.", *at, "content", index)
    others = {key: value for key, value in one.items() if key != "content"}
    if found.results and not found.parts:
        return [{**others, **result} for result in found.results]
    made = {**others, "content": as_content(found.parts)} if found.parts else others
    if found.calls:
        made["tool_calls"] = found.calls
    if found.thoughts:
        made["reasoning_content"] = "".join(found.thoughts)
    return [*found.results, made]


def _read(block: FieldReader, found: _Blocks, calls: CallIds) -> None:
    kind = block.take("type")
    block.take("cache_control")  # where a prompt may be cached, which changes nothing of it
    if kind == "text":
        if found.calls:
            block.refuse("the text comes after a call, and in a chat it is before", "Put it before the tool_use.")
        block.take("citations")
        found.parts.append(text_part(block.text("text")))
    elif kind == "image":
        found.parts.append(_image(block))
    elif kind == "tool_use":
        name = block.text("name")
        identifier = calls.call(name, block.optional_text("id"))
        found.calls.append(tool_call(identifier, name, arguments_text(block.object("input").take_rest())))
    elif kind == "tool_result":
        if found.parts:
            block.refuse(
                "the result comes after something that the user says, and in a chat it follows its call",
                "Put the tool_result first.",
            )
        found.results.append(_result(block, calls))
    elif kind == "thinking":
        if found.parts or found.calls:
            block.refuse("the thought comes after the answer, and in a chat it is before", "Put it first.")
        block.take("signature")  # it proves to Anthropic that the thought is the model's
        found.thoughts.append(block.text("thinking"))
    else:
        block.take_rest()
        block.refuse(f"a block of the type '{printable(kind)}' is not read", f"Blocks that are read: {_READ}.")


def _result(block: FieldReader, calls: CallIds) -> JsonObject:
    identifier = calls.answer(None, block.text("tool_use_id"))
    if block.take("is_error"):
        block.refuse("a result that is an error is said by its text alone in a chat", "Remove 'is_error'.", "is_error")
    if not isinstance(block.peek("content"), list):
        return tool_message(identifier, block.optional_text("content") or "")
    parts: list[JsonObject] = []
    for part in block.objects("content"):
        part.take("cache_control")
        if part.take("type") == "text":
            parts.append(text_part(part.text("text")))
        else:
            part.take_rest()
            part.refuse("a result in a chat is text alone", "Say in words what is in it.")
        part.finish()
    return tool_message(identifier, as_content(parts))


def _image(block: FieldReader) -> JsonObject:
    source = block.object("source")
    kind = source.take("type")
    if kind == "url":
        url = source.text("url")
    elif kind == "base64":
        url = f"data:{source.text('media_type')};base64,{source.text('data')}"
    else:
        source.take_rest()
        source.refuse(f"an image of the source '{printable(kind)}' cannot be read here", "Give its bytes, or its URL.")
        return image_part("")
    source.finish()
    return image_part(url)
