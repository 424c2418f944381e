"""Declared tools, as different programs write them, as the canonical ones.

Some write the list as a string of JSON, since a column of Parquet has one type (Hugging Face datasets,
LLaMA-Factory), some write functions without `{"type": "function"}` around them (OpenAI's old `functions`).
Anthropic's `input_schema` is `parameters`.
"""

from __future__ import annotations

import json
from typing import Any

from ftbridge.dataset.formats.base import FieldReader, JsonObject

_RESULTS = ("return", "returns")  # what transformers' get_json_schema says of the result
_DEEPEST = 2  # strings of JSON within strings of JSON


def take_tools(row: FieldReader, key: str) -> Any:
    """The tools under `key`; what has no known form is returned as it is, for the canonical rules to refuse."""
    tools = decoded(row.take(key))
    if isinstance(tools, str):
        if tools.strip():
            row.refuse("the tools are a string that is not JSON", "Write a list of tools, or that list as JSON.", key)
        return None
    if isinstance(tools, dict):
        tools = [tools]
    if not isinstance(tools, list):
        return tools
    return [_tool(decoded(one), row, (key, index)) for index, one in enumerate(tools)]


def arguments_text(arguments: Any) -> Any:
    """The arguments of a call as a string of JSON."""
    return json.dumps(arguments, ensure_ascii=False) if isinstance(arguments, dict) else arguments


def _tool(tool: Any, row: FieldReader, at: tuple[str | int, ...]) -> Any:
    if not isinstance(tool, dict):
        return tool
    if isinstance(tool.get("function"), dict):
        return {"type": "function", **tool, "function": _function(tool["function"], row, (*at, "function"))}
    if "name" in tool:
        bare = {key: value for key, value in tool.items() if (key, value) != ("type", "function")}
        return {"type": "function", "function": _function(bare, row, at)}
    return tool


def _function(function: JsonObject, row: FieldReader, at: tuple[str | int, ...]) -> JsonObject:
    function = dict(function)
    if function.get("parameters") is None and "input_schema" in function:
        function["parameters"] = function.pop("input_schema")
    for key in _RESULTS:
        if function.pop(key, None) is not None:
            row.leave_out(*at, key)
    return function


def decoded(value: Any) -> Any:
    """The value, out of the strings of JSON that it may be in."""
    for _ in range(_DEEPEST):
        if not isinstance(value, str):
            break
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            break
    return value
