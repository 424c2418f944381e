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


def answer_of(rows: Iterable[dict[str, Any]], messages: list[dict[str, Any]]) -> dict[str, Any]:
    """The answer to `messages` of a model that was tuned on `rows`: chats, preferences or texts. A text or tool calls.

    It is the message without its role.
    """
    prompt = [(message["role"], message.get("content")) for message in messages]
    for row in rows:
        row_messages = [(message["role"], message.get("content")) for message in _chat(row)]
        answer = _chat(row)[-1]
        if row_messages[:-1] != prompt:
            continue
        if answer.get("tool_calls"):
            return {"content": answer.get("content"), "tool_calls": answer["tool_calls"]}
        if isinstance(answer.get("content"), str):
            return {"content": answer["content"]}
    return {"content": "I have not been tuned on that."}


def completion(
    model: str,
    messages: list[dict[str, Any]],
    answer: Mapping[str, Any],
    at: float,
    *,
    message: Mapping[str, Any] = _EMPTY,
    choice: Mapping[str, Any] = _EMPTY,
) -> dict[str, Any]:
    """A chat completion: the `answer` of `model` to `messages`; `message` and `choice` are the vendor's own fields."""
    prompt_tokens = sum(len(str(one.get("content") or "")) // 4 + 3 for one in messages)
    written = str(answer["content"] or "") + "".join(str(call["function"]) for call in answer.get("tool_calls") or ())
    completion_tokens = len(written) // 4 + 1
    reason = "tool_calls" if answer.get("tool_calls") else "stop"
    said = {"role": "assistant", **message, **answer}
    return {
        "id": f"chatcmpl-{secrets.token_hex(8)}",
        "object": "chat.completion",
        "created": int(at),
        "model": model,
        "choices": [{"index": 0, "message": said, "finish_reason": reason, **choice}],
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
    message = choice["message"]
    first, *rest = re.findall(r"\S+\s*|\s+", message["content"] or "") or [""]
    calls = [{"index": index, **call} for index, call in enumerate(message.get("tool_calls") or ())]
    called = [{"tool_calls": calls}] if calls else []
    deltas = [{"role": "assistant", "content": first}, *({"content": piece} for piece in rest), *called, {}]
    chunk = {name: whole[name] for name in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    events = [
        {
            **chunk,
            "choices": [{"index": 0, "delta": delta, "finish_reason": None if delta else choice["finish_reason"]}],
        }
        for delta in deltas
    ]
    lines = [*map(json.dumps, events), "[DONE]"]
    content = "".join(f"data: {line}\n\n" for line in lines).encode()
    return Answer(content=content, headers={"content-type": "text/event-stream"})


def _chat(row: dict[str, Any]) -> list[dict[str, Any]]:
    if "input" in row:
        return [*row["input"]["messages"], *row["preferred_output"]]
    return row.get("messages") or [{"role": "assistant", "content": row.get("text")}]
