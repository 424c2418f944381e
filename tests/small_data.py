"""A small dataset, and how rows become a file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

CHATS = [
    {"messages": [{"role": "user", "content": f"q{n}"}, {"role": "assistant", "content": f"a{n}"}]} for n in range(12)
]


def write_rows(file: Path, rows: Iterable[Any] = CHATS) -> Path:
    """The rows as JSON Lines."""
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return file
