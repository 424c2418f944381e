"""Other spellings of a canonical row: keys that hold nothing, and Together's word for the reasoning.

A key that is null means the same as one that is absent. OpenAI's SDK writes several of them for each message
(openai 3.54, `ChatCompletionMessage.model_dump()`).
"""

from __future__ import annotations

from typing import Any

_FREE = frozenset({"parameters", "reference"})
"""Keys whose values are the user's own, in which null is a value."""


def respelled(value: Any, codes: set[str]) -> Any:
    """A copy of `value`, decoded JSON, as the canonical types spell it; `codes` names the differences.

    A content stays where it is null: a message without one is another mistake than one whose content is null.
    """
    if isinstance(value, list):
        return [respelled(item, codes) for item in value]
    if not isinstance(value, dict):
        return value
    kept: dict[str, Any] = {}
    for key, item in value.items():
        if key != "content" and (item is None or (key == "annotations" and item == [])):
            codes.add("empty_keys_removed")
        elif key == "reasoning" and _stands_for_content(value):
            codes.add("reasoning_renamed")
            kept["reasoning_content"] = item
        else:
            kept[key] = item if key in _FREE else respelled(item, codes)
    return kept


def _stands_for_content(message: dict[str, Any]) -> bool:
    """Whether Together's `reasoning` is the only reasoning of the message, or is there twice."""
    return message.get("role") == "assistant" and message.get("reasoning_content") in (None, message["reasoning"])
