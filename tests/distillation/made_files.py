"""What a distillation has written, and the answers of a scripted teacher."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Prompts = Callable[..., Path]


def lines(file: Path | None) -> list[Any]:
    assert file is not None
    return [json.loads(line) for line in file.read_bytes().splitlines()]


def reasons(made: Any) -> list[tuple[int, int, str]]:
    return [(row["line"], row["sample"], row["reason"]) for row in lines(made.rejects)]


def asked(question: str) -> dict[str, Any]:
    return {"role": "user", "content": question}


def said(answer: str) -> dict[str, Any]:
    return {"role": "assistant", "content": answer}


def called(arguments: str, name: str = "weather") -> Mapping[str, Any]:
    call = {"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"message": {"content": None, "tool_calls": [call]}, "finish_reason": "tool_calls"}
