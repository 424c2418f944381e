"""Rows of other formats: what is read of them, and what is said of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from ftbridge.dataset import Diagnostics, check, read_examples
from ftbridge.dataset.formats import recognise
from ftbridge.dataset.formats.base import FieldReader

USER = {"role": "user", "content": "Where is it?"}
ANSWER = {"role": "assistant", "content": "There."}
WORSE = {"role": "assistant", "content": "No."}
SYSTEM = {"role": "system", "content": "Be brief."}
TOOL = {"type": "function", "function": {"name": "f"}}


def call(number: int, arguments: str = "{}", name: str = "f") -> dict[str, Any]:
    """A canonical call."""
    return {"id": f"call_{number}", "function": {"name": name, "arguments": arguments}, "type": "function"}


def result(number: int, content: Any, **keys: Any) -> dict[str, Any]:
    """A canonical result."""
    return {"role": "tool", "content": content, "tool_call_id": f"call_{number}", **keys}


def write(path: Path, *rows: Any) -> Path:
    """A file of `rows`."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read(path: Path | str, name: str | None = None) -> list[Any]:
    """The examples of a file as plain JSON."""
    return [msgspec.to_builtins(example) for _, example in read_examples(path, format=name)]


def problems(folder: Path, *rows: Any, name: str | None = None) -> list[tuple[str, str, str]]:
    """The level, path and message of each finding in a file of `rows`."""
    findings = check(write(folder / "rows.jsonl", *rows), format=name).findings
    return [(finding.level, finding.path, finding.message) for finding in findings]


def translated(row: dict[str, Any]) -> Any:
    """The canonical row that is made of one, before the rules look at it; nothing must be said of it."""
    known, diagnostics = recognise(row), Diagnostics()
    assert known is not None
    assert known.translate is not None
    made = known.translate(FieldReader(row, diagnostics))
    assert diagnostics.findings == []
    return made
