"""Rows for evaluations, and the type of what trains on them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from small_data import write_rows

BASE = "mock+openai:gpt-4.1-mini-2025-04-14"
TOOL = {"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}
Train = Callable[..., str]


def chat(question: str, answer: str | None, **message: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer, **message}]}


def calling(question: str, city: str) -> dict[str, Any]:
    call = {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": json.dumps({"city": city})}}
    return {**chat(question, None, tool_calls=[call]), "tools": [TOOL]}


def chats(answers: list[str]) -> list[dict[str, Any]]:
    return [chat(f"q{n}", answer) for n, answer in enumerate(answers)]


def held(rows: list[dict[str, Any]]) -> Path:
    return write_rows(Path("held.jsonl"), rows)
