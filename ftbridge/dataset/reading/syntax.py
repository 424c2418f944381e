"""Reading one line as a JSON object, and exactly why where it is not one."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

import msgspec

from ftbridge.dataset.findings import Diagnostics
from ftbridge.dataset.reading.lines import Line, Unread, not_utf8
from ftbridge.dataset.reading.nesting import is_too_deep
from ftbridge.dataset.unforeseen import too_deep
from ftbridge.wording import json_kind, json_path, printable

_SURROGATE = re.compile("[\ud800-\udfff]")
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What `decode_line` raises."""

_decode = msgspec.json.Decoder().decode


def decode_line(raw: bytes) -> Any:
    """The JSON value in `raw`. Raises one of `UNREADABLE`, and `RecursionError` where it has too many levels."""
    if is_too_deep(raw):
        raise RecursionError
    return _decode(raw)


def parse(raw: Line, diagnostics: Diagnostics) -> dict[str, Any] | None:
    """The JSON object in `raw`; or None, with the reason in `diagnostics`.

    Strict: NaN, numbers that no double can represent and halves of surrogate pairs are refused.
    """
    if isinstance(raw, Unread):
        _refuse(raw, diagnostics)
        return None
    if raw.isspace():
        diagnostics.blank()
        return None
    try:
        value = decode_line(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
        _diagnose(raw, problem, diagnostics)
        return None
    except RecursionError:
        too_deep(diagnostics)
        return None
    if isinstance(value, dict):
        return value
    fix = 'Write one object per line, such as {"messages": [...]}.'
    diagnostics.error("$", "not_an_object", f"the row is {json_kind(value)}, not an object", fix)
    return None


def _diagnose(raw: bytes, problem: Exception, diagnostics: Diagnostics) -> None:
    """Find out with the standard library, slower but more precise, what msgspec objects to."""
    try:
        text = raw.decode("utf-8").rstrip()
    except UnicodeDecodeError as wrong:
        _refuse(not_utf8(raw, wrong.start, "the line"), diagnostics)
        return
    if not text:
        diagnostics.blank()
        return
    try:
        value = _strict.decode(text)
    except json.JSONDecodeError as wrong:
        _diagnose_syntax(text, wrong, diagnostics)
    except _RangeError as wrong:
        diagnostics.error("$", "number", str(wrong), "Use null, leave the key out, or write the number as a string.")
    except RecursionError:
        too_deep(diagnostics)
    else:
        path = _surrogate(value)
        if path is None:
            message = f"the row cannot be read: {printable(str(problem), 200)}"
            diagnostics.error("$", "unreadable", message, "Write the row with a JSON library.")
        else:
            fix = "Remove it: the character is damaged."
            diagnostics.error(json_path(path), "surrogate", "the text contains half a surrogate pair", fix)


def _refuse(unread: Unread, diagnostics: Diagnostics) -> None:
    diagnostics.error("$", unread.code, unread.message, unread.fix)


def _surrogate(value: Any) -> tuple[str | int, ...] | None:
    """The path of the first string that contains half a surrogate pair, which UTF-8 cannot encode.

    Without recursion: the row may be nested as deeply as a parser written in C can follow.
    """
    if isinstance(value, str):
        return () if _SURROGATE.search(value) else None
    path: list[str | int] = []
    levels = [_inside(value)]
    while levels:
        for key, part in levels[-1]:
            if isinstance(part, str):
                if _SURROGATE.search(part):
                    return (*path, key)
            elif isinstance(part, dict | list):
                path.append(key)
                levels.append(_inside(part))
                break
        else:
            levels.pop()
            path = path[:-1]
    return None


def _inside(value: dict[str, Any] | list[Any]) -> Iterator[tuple[str | int, Any]]:
    """What is in an object or a list, with its key or index; a key is looked at as well."""
    if isinstance(value, list):
        yield from enumerate(value)
    else:
        for key, item in value.items():
            yield key, key
            yield key, item


def _diagnose_syntax(text: str, problem: json.JSONDecodeError, diagnostics: Diagnostics) -> None:
    reason = printable(problem.msg[0].lower() + problem.msg[1:])
    if problem.msg == "Extra data":
        reason, fix = "there is more after the end of the object", "Write one object per line, and nothing after it."
    elif problem.pos >= len(text) or problem.msg.startswith("Unterminated string"):
        fix = "The line seems truncated: one example must be on one line, complete."
    elif text.lstrip().startswith(("{'", "['")):
        fix = "This looks like a printed Python value: write it with json.dumps."
    elif text[problem.pos] in "}]":
        fix = "Look for an extra comma before it."
    else:
        fix = "Write each row with a JSON library (json.dumps in Python), not by hand."
    column = f"column {problem.colno}" + (f" of its line {problem.lineno}" if "\n" in text else "")
    diagnostics.error("$", "json", f"not JSON at {column}: {reason}", fix)


class _RangeError(Exception):
    """A number that JSON, or a double, cannot represent."""


def _constant(name: str) -> NoReturn:
    raise _RangeError(f"{name} is not JSON")


def _integer(digits: str) -> int:
    if len(digits) > 300:
        raise _RangeError(f"the number {digits[:12]}… of {len(digits)} digits is too large")
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise _RangeError(f"the number {printable(digits, 20)} is too large")
    return value


_strict = json.JSONDecoder(parse_constant=_constant, parse_int=_integer, parse_float=_float)
