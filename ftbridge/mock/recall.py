"""What a mocked model says: one that was tuned knows its training rows by heart."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from ftbridge.mock.vendor import Answer

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def answer_of(rows: Iterable[dict[str, Any]], messages: list[dict[str, Any]]) -> str:
    """The answer to `messages` of a model tuned on `rows`, be they chats, preferences or texts."""
    asked = [(message["role"], message.get("content")) for message in messages]
    for row in rows:
        seen = [(message["role"], message.get("content")) for message in _chat(row)]
        if seen[:-1] == asked and isinstance(seen[-1][1], str):
            return seen[-1][1]
    return "I have not been tuned on that."


def completion(
    model: str,
    asked: list[dict[str, Any]],
    text: str,
    at: float,
    *,
    message: Mapping[str, Any] = _NOTHING,
    choice: Mapping[str, Any] = _NOTHING,
) -> dict[str, Any]:
    """A chat completion in which `model` says `text` to `asked`, with what the vendor puts beside it."""
    prompt = sum(len(str(one.get("content") or "")) // 4 + 3 for one in asked)
    spoken = len(text) // 4 + 1
    said = {"role": "assistant", "content": text, **message}
    return {
        "id": f"chatcmpl-{secrets.token_hex(8)}",
        "object": "chat.completion",
        "created": int(at),
        "model": model,
        "choices": [{"index": 0, "message": said, "finish_reason": "stop", **choice}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": spoken, "total_tokens": prompt + spoken},
    }


def completion_answer(request: Mapping[str, Any], whole: Mapping[str, Any]) -> Answer:
    """A completion as the request wants it: whole, or word by word as server-sent events."""
    if not request.get("stream"):
        return Answer(whole)
    [choice] = whole["choices"]
    first, *rest = re.findall(r"\S+\s*|\s+", choice["message"]["content"]) or [""]
    deltas = [{"role": "assistant", "content": first}, *({"content": piece} for piece in rest), {}]
    chunk = {name: whole[name] for name in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    events = [
        {**chunk, "choices": [{"index": 0, "delta": delta, "finish_reason": None if delta else "stop"}]}
        for delta in deltas
    ]
    lines = [*map(json.dumps, events), "[DONE]"]
    content = "".join(f"data: {line}\n\n" for line in lines).encode()
    return Answer(content=content, headers={"content-type": "text/event-stream"})


def _chat(row: dict[str, Any]) -> list[dict[str, Any]]:
    if "input" in row:
        return [*row["input"]["messages"], *row["preferred_output"]]
    return row.get("messages") or [{"role": "assistant", "content": row.get("text")}]
