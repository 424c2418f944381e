"""Text for people: counts, dollars, suggestions after a typing mistake, and foreign text made safe to print."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

_LONGEST_NAME = 60
_RULES = {
    "greater_than": "it must be more than {gt:g}",
    "greater_than_equal": "it must be at least {ge:g}",
    "less_than": "it must be less than {lt:g}",
    "less_than_equal": "it must be at most {le:g}",
    "int_parsing": "it must be a whole number",
    "int_parsing_size": "it must be a whole number",
    "int_type": "it must be a whole number",
    "int_from_float": "it must be a whole number",
    "float_parsing": "it must be a number",
    "float_type": "it must be a number",
    "finite_number": "it must be a finite number",
    "bool_parsing": "it must be true or false",
    "bool_type": "it must be true or false",
    "enum": "it must be {expected}",
    "literal_error": "it must be {expected}",
    "string_type": "it must be a text",
    "string_too_long": "it has more than {max_length} characters",
    "path_type": "it must be a path",
    "list_type": "it must be a list",
    "tuple_type": "it must be a list",
    "dict_type": "it must be a table",
    "mapping_type": "it must be a table",
    "model_type": "it must be a table",
    "missing": "it is missing",
}
"""Sentences for what pydantic finds, by its name of the kind."""


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


def broken_rule(error: Mapping[str, Any]) -> str:
    """What is wrong with a value, from one of the errors of pydantic's ValidationError."""
    if rule := _RULES.get(error["type"]):
        return rule.format(**error.get("ctx", {}))
    sentence = str(error["msg"]).removeprefix("Value error, ")
    return sentence[:1].lower() + sentence[1:]


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
