"""Rows of the canonical shapes with the differences that other programs write.

Such rows may be among canonical ones, so they belong to the same formats, and are looked at where a
row cannot be decoded. `functions` is OpenAI's old name for tools; `system` beside the messages is that of Claude's rows
on Bedrock and of LLaMA-Factory.
"""

from __future__ import annotations

from typing import Any

from ftbridge.dataset.canonical.example import Shape
from ftbridge.dataset.canonical.without_meaning import UNUSED
from ftbridge.dataset.formats.base import FieldReader, JsonObject, without_nulls
from ftbridge.dataset.formats.calls import CallIds
from ftbridge.dataset.formats.complete import complete_chat
from ftbridge.dataset.formats.messages import take_messages
from ftbridge.dataset.formats.tools import take_tools

_CLASSES = ("category", "subcategory", "topic", "tag", "domain", "difficulty")


def read_variant(row: FieldReader, shape: Shape) -> JsonObject:
    """The row in the canonical form, as far as its differences are known; the rest is as it was."""
    if shape == "text":
        _refuse_classes(row)
        return _rest(row)
    if shape == "preference":
        return _preference(row)
    return _chat(row, CallIds()) | _rest(row)


def read_chat(row: FieldReader) -> JsonObject:
    """A row of messages as a canonical chat, without the keys that a chat does not have."""
    translated = _chat(row, CallIds())
    row.finish()
    return translated


def _refuse_classes(row: FieldReader) -> None:
    """A class beside a text alone, as in the BBC's news, may be the answer, which no text trains."""
    for key in filter(row.has, _CLASSES):
        if isinstance(row.peek(key), str):
            row.take(key)
            row.refuse(
                f"beside a text alone '{key}' may be what is to be answered, and would not be trained",
                f"To train it: --map text=prompt --map {key}=completion. To leave it out: --map {key}={UNUSED}.",
                key,
            )


def _preference(row: FieldReader) -> JsonObject:
    calls = CallIds()
    translated: JsonObject = {}
    given = row.peek("input")
    if isinstance(given, dict):
        chat = row.object("input")
        made = _chat(chat, calls) | _rest(chat)
        translated["input"] = given if made == without_nulls(given) else made
    for key in ("preferred_output", "non_preferred_output"):
        if isinstance(row.peek(key), list):
            translated[key] = take_messages(row, key, "assistant", calls.copy())
    return translated | _rest(row)


def _rest(row: FieldReader) -> JsonObject:
    """What is left for the canonical rules to take or refuse."""
    row.leave_out_meaningless()
    return row.take_rest()


def _chat(row: FieldReader, calls: CallIds) -> JsonObject:
    if not isinstance(row.peek("messages"), list):
        return {}
    messages: list[Any] = take_messages(row, "messages", "user", calls)
    translated = complete_chat(row, messages)
    if row.has("functions") and "tools" not in translated:
        translated["tools"] = take_tools(row, "functions")
    for key in ("function_call", "tool_choice"):
        if row.peek(key) in ("auto", {"type": "auto"}):
            row.take(key)
        elif row.has(key):
            row.refuse(
                f"'{key}' forces or forbids a call, which examples cannot say",
                "Remove it where the messages show what is to be called.",
                key,
            )
            row.take(key)
    return translated
