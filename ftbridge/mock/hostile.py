"""An answer with everything in it that a database, a terminal or a calendar may refuse."""

from __future__ import annotations

import json
from typing import Any

MESSAGE = "half an emoji \ud83d, a NUL \0, an escape \x1b[2J and a long tail " + "x" * 100_000
_NOT_A_TIME = {int: 253_402_300_800_000, float: float("inf"), str: "10000-01-01T00:00:00Z"}
_TIMES = ("created_at", "timestamp")


def make_hostile(body: Any) -> bytes:
    """The JSON of an answer whose messages cannot be stored, times do not exist, losses are NaN and lists hold null."""
    return json.dumps(_hostile(body)).encode()  # with NaN and lone surrogates, as many programs write them


def _hostile(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _hostile(one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [*(_hostile(one) for one in value), None]
    if name == "message" and isinstance(value, str):
        return MESSAGE
    if name in _TIMES:
        return _NOT_A_TIME.get(type(value), value)
    return float("nan") if name.endswith("loss") and isinstance(value, float) else value
