"""Whether a template writes out all of a chat: each part is marked, and looked for by its mark.

A mark follows the last character of a part that is not white space. What the template writes is found directly before
it, as it is or escaped as in JSON; the same words elsewhere in the chat are no evidence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any, Literal, NamedTuple

from ftbridge_local.tokenizing.messages import Messages

Part = Literal["content", "reasoning_content", "tool_calls", "tools"]


class Mark(NamedTuple):
    """The mark of a part of a message (its index) or of the tools (-1), the part's text, and its JSON path."""

    mark: str
    message: int
    part: Part
    text: str
    path: str

    def is_in(self, rendering: str) -> bool:
        """Whether the part is written out there."""
        escaped = (json.dumps(self.text, ensure_ascii=flag)[1:-1] for flag in (False, True))
        return any(form + self.mark in rendering for form in (self.text, *escaped))


class Marked(NamedTuple):
    """A chat with a mark after each of its parts."""

    messages: Messages
    tools: list[dict[str, Any]] | None
    marks: list[Mark]
    pattern: re.Pattern[str]
    as_python: list[str]
    """Arguments as Python writes them, which is not JSON: a template that prints an object writes them so."""


def mark_chat(messages: Messages, tools: list[dict[str, Any]] | None, whole: str) -> Marked:
    """The chat with marks that do not occur in its rendering `whole`."""
    stem = "!mark"
    while stem in whole:
        stem += "!"
    marks: list[Mark] = []

    def add(text: str, index: int, part: Part, path: str) -> str:
        bare = text.rstrip()
        mark = f"{stem}{len(marks)}!"
        marks.append(Mark(mark, index, part, bare.lstrip(), path))
        return bare + mark + text[len(bare) :]

    marked = [_message(message, index, add) for index, message in enumerate(messages)]
    definitions = tools and [_tool(tool, index, add) for index, tool in enumerate(tools)]
    calls = [call for message in marked for call in message.get("tool_calls") or ()]
    as_python = [str(given) for call in calls if isinstance(given := call["function"]["arguments"], dict) and given]
    return Marked(marked, definitions, marks, re.compile(re.escape(stem) + r"\d+!"), as_python)


_Add = Callable[[str, int, Part, str], str]


def _message(message: dict[str, Any], index: int, add: _Add) -> dict[str, Any]:
    marked, at = dict(message), f"$.messages[{index}]"
    if (message.get("reasoning_content") or "").strip():
        reasoning = add(message["reasoning_content"], index, "reasoning_content", f"{at}.reasoning_content")
        marked |= {"thinking": reasoning, "reasoning_content": reasoning}
    if (message.get("content") or "").strip():
        marked["content"] = add(message["content"], index, "content", at)
    if calls := message.get("tool_calls"):
        marked["tool_calls"] = [
            _call(call, lambda text, path: add(text, index, "tool_calls", path), f"{at}.tool_calls[{number}]")
            for number, call in enumerate(calls)
        ]
    return marked


def _call(call: dict[str, Any], add: Callable[[str, str], str], path: str) -> dict[str, Any]:
    function = call["function"]
    return {
        **call,
        "function": {
            **function,
            "name": add(function["name"], f"{path}.function.name"),
            "arguments": _last_marked(function["arguments"], lambda text: add(text, f"{path}.function.arguments")),
        },
    }


def _last_marked(value: Any, add: Callable[[str], str]) -> Any:
    """The value with a mark after the last text in it, or after the last key where there is no text."""
    if isinstance(value, str):
        return add(value) if value.strip() else value
    if isinstance(value, list):
        return [*value[:-1], _last_marked(value[-1], add)] if value else value
    if not isinstance(value, dict) or not value:
        return value
    *others, (key, last) = value.items()
    marked = _last_marked(last, add)
    return dict(others) | ({key: marked} if marked != last else {add(key): last})


def _tool(tool: dict[str, Any], index: int, add: _Add) -> dict[str, Any]:
    marked, path = deepcopy(tool), f"$.tools[{index}]"
    function = marked["function"]
    for key in ("name", "description"):
        if (function.get(key) or "").strip():
            function[key] = add(function[key], -1, "tools", path)
    parameters = function.get("parameters") or {}
    properties = parameters.get("properties")
    if isinstance(properties, dict) and properties and (first := next(iter(properties))).strip():
        renamed = add(first, -1, "tools", path)
        parameters["properties"] = {renamed if name == first else name: kind for name, kind in properties.items()}
        if isinstance(required := parameters.get("required"), list):
            parameters["required"] = [renamed if name == first else name for name in required]
    return marked
