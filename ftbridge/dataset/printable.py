"""Words from a dataset, made safe to show."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_LONGEST_NAME = 60


def printable(value: Any, limit: int = 60) -> str:
    """`value` as one short line that no terminal will act upon.

    Whatever Unicode does not call printable (control characters, escape sequences, text
    direction marks, lone surrogates) is written as an escape. At most `limit` characters
    of `value` are shown.
    """
    text = value if isinstance(value, str) else repr(value)
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return escaped(text)


def escaped(text: str, keep: str = "") -> str:
    """`text` with every character escaped that is not printable, except those in `keep`."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() or sign in keep else _escape(sign) for sign in text)


def json_path(keys: Iterable[str | int]) -> str:
    """Keys and indices as a JSON path: `$.messages[2].content`."""
    path = "$"
    for key in keys:
        if isinstance(key, int):
            path += f"[{key}]"
        elif key.isascii() and key.isidentifier() and len(key) <= _LONGEST_NAME:
            path += f".{key}"
        else:
            path += f'["{printable(key)}"]'
    return path


def _escape(sign: str) -> str:
    return sign.encode("unicode_escape", "surrogatepass").decode("ascii")
