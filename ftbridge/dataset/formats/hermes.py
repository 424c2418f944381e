"""Calls and results that are written as JSON within texts: Hermes' tags, and LLaMA-Factory's plain JSON.

    <tool_call>{"name": "f", "arguments": {}}</tool_call>     <tool_response>…</tool_response>

Sources: NousResearch/Hermes-Function-Calling, README; LLaMA-Factory, `data/formatter.py` and
`data/README.md`; read 2026-11.
"""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from ftbridge.dataset.formats.base import JsonObject
from ftbridge.dataset.formats.tools import arguments_text

_CALL = re.compile(r"<tool_call>(.*?)</tool_call>", re.DOTALL)
_RESULT = re.compile(r"<tool_response>(.*?)</tool_response>", re.DOTALL)
_LONGEST = 100_000  # characters of a call that Python's parser is asked to read


def has_calls(text: str) -> bool:
    """Whether a text has a tag of a call."""
    return "<tool_call>" in text


def calls_in(text: str) -> tuple[str, list[JsonObject]]:
    """The text before the calls, and the name and arguments of each: in tags, or one call or a list of them alone.

    Raises `ValueError` where a call is neither JSON nor a Python dictionary, or text follows a call.
    """
    if not has_calls(text):
        value = _value(text)
        return "", [_call(one) for one in (value if isinstance(value, list) else [value])]
    content, *rest = _CALL.split(text)
    if any(between.strip() for between in rest[1::2]) or not rest:
        raise ValueError
    return content.strip(), [_call(_value(inner)) for inner in rest[0::2]]


def results(text: str, count: int) -> list[str]:
    """The results that a text holds for `count` calls: one for each tag, or one for each item of a list in JSON."""
    tagged = [inner.strip() for inner in _RESULT.findall(text)]
    if tagged and not _RESULT.sub("", text).strip():
        return tagged
    listed = _value(text) if count > 1 else None
    if isinstance(listed, list) and len(listed) == count:
        return [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in listed]
    return [text]


def _call(value: Any) -> JsonObject:
    call = value if isinstance(value, dict) else {}
    name, arguments = call.get("name"), arguments_text(call.get("arguments", call.get("parameters", {})))
    if isinstance(name, str) and isinstance(arguments, str):
        return {"name": name, "arguments": arguments}
    raise ValueError


def _value(text: str) -> Any:
    """The value of `text`: JSON, or as Hermes' first rows have it, a Python dictionary; None for neither."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    if len(text) > _LONGEST or not text.strip().startswith("{"):
        return None
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
