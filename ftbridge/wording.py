"""Text for people: counts, dollars, suggestions after a typing mistake, and foreign text made safe to print."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

_LONGEST_NAME = 60


def printable(value: Any, limit: int = 60) -> str:
    """`value` as one short line that cannot control a terminal.

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


def json_kind(value: object) -> str:
    """What a JSON value is, with its article: "a number", "an object"."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    names = {str: "a string", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), f"a value of type {type(value).__name__}")


def counted(number: float, what: str) -> str:
    """A number with its noun: "1 row", "2 rows"."""
    return (f"{number:,}" if isinstance(number, int) else f"{number:g}") + f" {what}" + "s" * (number != 1)


def clause(sentence: str) -> str:
    """A sentence from outside without its full stop, so that another clause can follow."""
    return sentence.rstrip().rstrip(".")


def dollars(amount: float) -> str:
    """An amount in dollars with two digits, and four below a dollar."""
    return f"${amount:,.2f}" if amount >= 1 or amount == 0 else f"${amount:.4f}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A suggestion of the most similar known name; "" where none is similar."""
    near = get_close_matches(word, known, n=1)
    return f"Did you mean {near[0]!r}? " if near else ""


def _escape(sign: str) -> str:
    return sign.encode("unicode_escape", "surrogatepass").decode("ascii")
