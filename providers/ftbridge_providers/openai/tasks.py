"""OpenAI's files of reinforcement, read back as tasks: what graders read as `item` is the reference."""

from __future__ import annotations

from typing import Any

import msgspec

_CHAT_KEYS = ("messages", "tools", "parallel_tool_calls")


def read_tasks(content: bytes) -> bytes:
    """The rows with the keys beside their messages moved to `reference`; other lines are not changed."""
    return b"".join(_read_task(line) for line in content.splitlines(keepends=True))


def _read_task(line: bytes) -> bytes:
    try:
        row: Any = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return line
    if not isinstance(row, dict) or "messages" not in row:
        return line
    chat = {name: row[name] for name in _CHAT_KEYS if name in row}
    reference = {name: value for name, value in row.items() if name not in _CHAT_KEYS}
    return msgspec.json.encode({**chat, "reference": reference}) + b"\n" if reference else line
