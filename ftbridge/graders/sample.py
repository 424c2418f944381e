"""What graders read of a model's answer: the namespace `sample`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def sample_of(answer: str | Mapping[str, Any]) -> dict[str, Any]:
    """The sample of an answer: a text, an assistant's message, or the body of a chat completion.

    `output_json` is there only where the text is JSON, as in OpenAI's `graders/run` (OpenAPI document of 2026-08).
    """
    message: Mapping[str, Any]
    if isinstance(answer, str):
        message = {"role": "assistant", "content": answer}
    else:
        message = answer["choices"][0]["message"] if "choices" in answer else answer
    choices = answer["choices"] if not isinstance(answer, str) and "choices" in answer else [{"message": dict(message)}]
    text = text_of_content(message.get("content"))
    sample = {"choices": choices, "output_text": text, "output_tools": message.get("tool_calls") or []}
    if message.get("audio"):
        sample["output_audio"] = message["audio"]
    try:
        return {**sample, "output_json": json.loads(text)}
    except (ValueError, RecursionError):
        return sample


def text_of_content(content: Any) -> str:
    """The text of a message's content: a text, a list of parts, or nothing."""
    if isinstance(content, str):
        return content
    return "".join(part.get("text") or "" for part in content or () if isinstance(part, Mapping))
