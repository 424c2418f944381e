"""Words from a dataset, made safe to show."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_MARKUP = re.compile(r"(\\*)\[(?=[a-z#/@])")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}\Z")


def printable(value: Any, limit: int = 60) -> str:
    """`value` as one short line that no terminal and no markup reader will act upon.

    Whatever Unicode does not call printable (control characters, escape sequences, text
    direction marks, lone surrogates) is written as an escape, and an opening bracket that
    rich would read as a style is escaped the way rich asks for. At most `limit` characters
    of `value` are shown.
    """
    text = value if isinstance(value, str) else repr(value)
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    if not text.isprintable():
        text = "".join(sign if sign.isprintable() else _escape(sign) for sign in text)
    return _MARKUP.sub(r"\1\1\\[", text)


def json_path(keys: Iterable[str | int]) -> str:
    """Keys and indices as a JSON path: `$.messages[2].content`."""
    return "$" + "".join(_step(key) for key in keys)


def _step(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if _IDENTIFIER.match(key) else f'["{printable(key)}"]'


def _escape(sign: str) -> str:
    return sign.encode("unicode_escape", "surrogatepass").decode("ascii")
