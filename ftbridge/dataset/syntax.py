"""Reading one line as a JSON object, and saying exactly why where it is none."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from ftbridge.dataset.findings import Notes
from ftbridge.dataset.lines import LONGEST, Line
from ftbridge.dataset.printable import child, printable

_ONE_OBJECT = 'Write one object per line, such as {"messages": [...]}.'


def parse(raw: Line, notes: Notes) -> dict[str, Any] | None:
    """The JSON object in `raw`; or None, with the reason in `notes`.

    Slow and strict: this explains a line that a fast reader refused.
    """
    if raw is None:
        notes.error("$", "line_too_long", f"the line is longer than {LONGEST >> 20} MB", "Shorten it.")
        return None
    text = _text(raw, notes)
    if text is None:
        return None
    text = text.rstrip()
    if not text:
        notes.warning("$", "blank_line", "the line is blank and is skipped", "Remove it: some vendors refuse it.")
        return None
    try:
        value = json.loads(text, parse_constant=_constant, parse_int=_integer, parse_float=_float)
    except json.JSONDecodeError as problem:
        _explain_syntax(text, problem, notes)
    except _RangeError as problem:
        notes.error("$", "number", str(problem), "Use null, leave the key out, or write the number as a string.")
    except RecursionError:
        notes.error("$", "too_deep", "the row is nested too deeply to be read", "Flatten it: no vendor reads it.")
    else:
        if isinstance(value, dict):
            return value
        notes.error("$", "not_an_object", f"the line is {kind_of(value)}, not an object", _ONE_OBJECT)
    return None


def kind_of(value: object) -> str:
    """What a JSON value is, with its article: "a number", "an object"."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return {str: "a string", int: "a number", float: "a number", list: "a list", dict: "an object"}[type(value)]


def surrogate(value: Any, path: str = "$") -> str | None:
    """The path of the first string that holds half a surrogate pair, which no UTF-8 can carry."""
    if isinstance(value, str):
        return None if value.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in value) else path
    if isinstance(value, dict):
        pairs = [(child(path, key), item) for key, item in value.items()]
        pairs += [(f"{path} (a key)", key) for key in value]
    elif isinstance(value, list):
        pairs = [(child(path, index), item) for index, item in enumerate(value)]
    else:
        return None
    return next((found for where, item in pairs if (found := surrogate(item, where))), None)


def _text(raw: bytes, notes: Notes) -> str | None:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as problem:
        notes.error(
            "$",
            "not_utf8",
            f"byte {problem.start + 1} of the line (0x{raw[problem.start]:02x}) is not UTF-8",
            "Save the file as UTF-8; for a Western Windows file: iconv -f WINDOWS-1252 -t UTF-8.",
        )
    return None


def _explain_syntax(text: str, problem: json.JSONDecodeError, notes: Notes) -> None:
    start = text.lstrip()
    reason = printable(problem.msg[0].lower() + problem.msg[1:])
    if problem.msg == "Extra data":
        reason, fix = "there is more after the end of the object", "Write one object per line, and nothing after it."
    elif problem.pos >= len(text) or problem.msg.startswith("Unterminated string"):
        fix = "The line seems cut short: one example must be on one line, whole."
    elif start.startswith(("{'", "['")):
        fix = "This looks like a printed Python value: write it with json.dumps."
    elif text[problem.pos - 1 : problem.pos + 1].strip() in {",}", ",]"} or text[problem.pos : problem.pos + 1] in "}]":
        fix = "Look for a comma too many before it."
    else:
        fix = "Write each row with a JSON library (json.dumps in Python) rather than by hand."
    notes.error("$", "json", f"not JSON at column {problem.pos + 1}: {reason}", fix)


class _RangeError(Exception):
    """A number that JSON, or a double, cannot hold."""


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
