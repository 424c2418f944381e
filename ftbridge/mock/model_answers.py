"""The answers of mocked models: a tuned model repeats its training rows."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from ftbridge.mock.vendor import Answer

_EMPTY: Mapping[str, Any] = MappingProxyType({})


def answer_of(rows: Iterable[dict[str, Any]], messages: list[dict[str, Any]]) -> str:
    """The answer to `messages` of a model that was tuned on `rows`: chats, preferences or texts."""
    prompt = [(message["role"], message.get("content")) for message in messages]
    for row in rows:
        row_messages = [(message["role"], message.get("content")) for message in _chat(row)]
        if row_messages[:-1] == prompt and isinstance(row_messages[-1][1], str):
            return row_messages[-1][1]
    return "I have not been tuned on that."


def completion(
    model: str,
    messages: list[dict[str, Any]],
    text: str,
    at: float,
    *,
    message: Mapping[str, Any] = _EMPTY,
    choice: Mapping[str, Any] = _EMPTY,
) -> dict[str, Any]:
    """A chat completion: `model` answers `messages` with `text`; `message` and `choice` are the vendor's own fields."""
    prompt_tokens = sum(len(str(one.get("content") or "")) // 4 + 3 for one in messages)
    completion_tokens = len(text) // 4 + 1
    answer = {"role": "assistant", "content": text, **message}
    return {
        "id": f"chatcmpl-{secrets.token_hex(8)}",
        "object": "chat.completion",
        "created": int(at),
        "model": model,
        "choices": [{"index": 0, "message": answer, "finish_reason": "stop", **choice}],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        },
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
