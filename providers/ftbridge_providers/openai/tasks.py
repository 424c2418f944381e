"""Files of reinforcement as OpenAI keeps them, read back as tasks: what graders read as `item` is the reference."""

from __future__ import annotations

from typing import Any

import msgspec

_OF_CHAT = ("messages", "tools", "parallel_tool_calls")


def read_tasks(content: bytes) -> bytes:
    """The rows with all that stands beside the messages in `reference`; a line that is no such row stays as it is."""
    return b"".join(_read_task(line) for line in content.splitlines(keepends=True))


def _read_task(line: bytes) -> bytes:
    try:
        row: Any = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return line
    if not isinstance(row, dict) or "messages" not in row:
        return line
    chat = {name: row[name] for name in _OF_CHAT if name in row}
    beside = {name: value for name, value in row.items() if name not in _OF_CHAT}
    return msgspec.json.encode({**chat, "reference": beside}) + b"\n" if beside else line
