"""Rows of all kinds that a trainer may be given, and how one row becomes those of a trainer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ftbridge import Bridge
from ftbridge.trainer_configs.exported import ExportedConfig
from small_data import write_rows

Row = dict[str, Any]


def said(role: str, content: str, **more: Any) -> Row:
    """A message."""
    return {"role": role, "content": content, **more}


def called(city: str, arguments: Row | None = None) -> Row:
    """An answer that calls a tool."""
    given = json.dumps(arguments or {"unit": "C", "city": city})
    function = {"name": "weather", "arguments": given}
    return {"role": "assistant", "tool_calls": [{"id": "call00001", "type": "function", "function": function}]}


ONE: Row = {"messages": [said("user", "Hi"), said("assistant", "Hello")]}
TWO: Row = {"messages": [*ONE["messages"], said("user", "Bye"), said("assistant", "See you")]}
ZERO: Row = {"messages": [said("user", "Hi"), said("assistant", "What?", weight=0), *TWO["messages"][2:]]}
SYSTEM: Row = {"messages": [said("system", "Be brief."), *TWO["messages"]]}
PARAMETERS = {"type": "object", "properties": {"unit": {"type": "string"}, "city": {"type": "string"}}}
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "Now.", "parameters": PARAMETERS}}]
CALL: Row = {
    "messages": [
        *(said("user", "Oslo?"), called("Oslo")),
        *(said("tool", "4 C", tool_call_id="call00001"), said("assistant", "Four.")),
    ],
    "tools": TOOLS,
}
THOUGHT: Row = {"messages": [said("user", "2+2?"), said("assistant", "4", reasoning_content="Add them.")]}
THOUGHT_BEFORE: Row = {"messages": [*THOUGHT["messages"], said("user", "Sure?"), said("assistant", "Yes")]}
PAIR: Row = {
    "input": {"messages": [said("system", "Be kind."), said("user", "Hi")]},
    "preferred_output": [said("assistant", "Hello!")],
    "non_preferred_output": [said("assistant", "What?")],
}
TEXT: Row = {"text": "All that there is."}


def export(bridge: Bridge, folder: Path, rows: list[Row], to: str, **options: Any) -> tuple[ExportedConfig, list[Row]]:
    """What `export_config` gives, and the rows that it wrote."""
    options.setdefault("model", "Qwen/Qwen3-0.6B")
    made = bridge.export_config(write_rows(folder / "rows.jsonl", rows), to, folder / "out", **options)
    if not made.written:
        return made, []
    return made, [json.loads(line) for line in made.training.out.read_text("utf-8").splitlines()]
