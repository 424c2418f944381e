"""The keys of tools and calls in the order in which they were written, which models see: templates print them as JSON.

A struct has one order of its fields, the usual one. An object that was written in another order is read as a struct
with the same fields in that order.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec import NODEFAULT, Struct

from ftbridge.dataset.canonical.example import Assistant, Chat, Example, Preference, Row


def keep_key_order(example: Example, written: bytes | dict[str, Any]) -> None:
    """Give the tools and calls of a valid example the order of keys of the row that it was read from."""
    chat = example.input if isinstance(example, Preference) else example
    if not isinstance(chat, Chat):
        return
    called = any(type(message) is Assistant and message.tool_calls for message in _messages(example))
    if not (chat.tools or called):
        return
    row = msgspec.json.decode(written) if isinstance(written, bytes) else written
    prompt = row.get("input") or {} if isinstance(example, Preference) else row
    if chat.tools:
        chat.tools = _all_ordered(chat.tools, prompt.get("tools"))
    if called:
        rows = [*prompt.get("messages", ()), *row.get("preferred_output", ()), *row.get("non_preferred_output", ())]
        for message, fields in zip(_messages(example), rows, strict=False):
            if type(message) is Assistant and message.tool_calls:
                message.tool_calls = _all_ordered(message.tool_calls, fields.get("tool_calls"))


def _messages(example: Example) -> Sequence[Any]:
    if isinstance(example, Preference):
        return [*example.input.messages, *example.preferred_output, *example.non_preferred_output]
    return example.messages if isinstance(example, Chat) else ()


def _all_ordered(values: list[Any], written: Any) -> list[Any]:
    """The structs in the written order, unless they were written in another form."""
    if not isinstance(written, list) or len(written) != len(values):
        return values
    return [_ordered(value, keys) for value, keys in zip(values, written, strict=True)]


def _ordered(value: Any, written: Any) -> Any:
    """The struct, and those in it, with its fields in the order of the keys of `written`."""
    if not isinstance(value, Struct) or not isinstance(written, dict):
        return value
    fields = value.__struct_fields__
    keys = [key for key in written if key in fields]
    values = {name: _ordered(getattr(value, name), written.get(name)) for name in fields}
    usual = [name for name in fields if name in written]
    return (type(value) if keys == usual else _variant(type(value), tuple(keys)))(**values)


@cache
def _variant(kind: type[Struct], keys: tuple[str, ...]) -> type[Struct]:
    known = {field.name: field for field in msgspec.structs.fields(kind)}
    order = [*keys, *(name for name in known if name not in keys)]
    fields: list[Any] = [
        (name, one.type) if (one := known[name]).default is NODEFAULT else (name, one.type, one.default)
        for name in order
    ]
    return msgspec.defstruct(kind.__name__, fields, bases=(Row,), kw_only=True)
