"""Reading one line as a JSON object, and exactly why where it is not one."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

import msgspec

from ftbridge.dataset.findings import Diagnostics
from ftbridge.dataset.reading.lines import MAX_LINE, Line
from ftbridge.wording import json_kind, json_path, printable

_SURROGATE = re.compile("[\ud800-\udfff]")
_decode = msgspec.json.Decoder().decode
_scan = msgspec.json.Decoder(msgspec.Raw).decode


def parse(raw: Line, diagnostics: Diagnostics) -> dict[str, Any] | None:
    """The JSON object in `raw`; or None, with the reason in `diagnostics`.

    Strict: NaN, numbers that no double holds and halves of surrogate pairs are refused.
    """
    if raw is None:
        diagnostics.error("$", "line_too_long", f"the line is longer than {MAX_LINE >> 20} MB", "Shorten the example.")
        return None
    try:
        _scan(raw)  # refuses what is too deep before it is built, which would take long
        value = _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
        _diagnose(raw, problem, diagnostics)
        return None
    except RecursionError:
        _too_deep(diagnostics)
        return None
    if isinstance(value, dict):
        return value
    fix = 'Write one object per line, such as {"messages": [...]}.'
    diagnostics.error("$", "not_an_object", f"the line is {json_kind(value)}, not an object", fix)
    return None


def _diagnose(raw: bytes, problem: Exception, diagnostics: Diagnostics) -> None:
    """Find out with the standard library, slower but more precise, what msgspec objects to."""
    try:
        text = raw.decode("utf-8").rstrip()
    except UnicodeDecodeError as wrong:
        message = f"byte {wrong.start + 1} of the line (0x{raw[wrong.start]:02x}) is not UTF-8"
        fix = "Save the file as UTF-8; for a Western Windows file: iconv -f WINDOWS-1252 -t UTF-8."
        diagnostics.error("$", "not_utf8", message, fix)
        return
    if not text:
        diagnostics.warning("$", "blank_line", "the line is blank and is skipped", "Remove it: some vendors refuse it.")
        return
    try:
        value = _strict.decode(text)
    except json.JSONDecodeError as wrong:
        _diagnose_syntax(text, wrong, diagnostics)
    except _RangeError as wrong:
        diagnostics.error("$", "number", str(wrong), "Use null, leave the key out, or write the number as a string.")
    except RecursionError:
        _too_deep(diagnostics)
    else:
        path = _surrogate(value, ())
        if path is None:
            message = f"the row cannot be read: {printable(str(problem), 200)}"
            diagnostics.error("$", "unreadable", message, "Write the row with a JSON library.")
        else:
            fix = "Remove it: the character is damaged."
            diagnostics.error(json_path(path), "surrogate", "the text contains half a surrogate pair", fix)


def _too_deep(diagnostics: Diagnostics) -> None:
    diagnostics.error("$", "too_deep", "the row is nested too deeply to be read", "Flatten it: no vendor accepts it.")


def _surrogate(value: Any, path: tuple[str | int, ...]) -> tuple[str | int, ...] | None:
    """The path of the first string that contains half a surrogate pair, which UTF-8 cannot encode."""
    if isinstance(value, str):
        return path if _SURROGATE.search(value) else None
    if isinstance(value, dict):
        parts = [((*path, key), part) for key, item in value.items() for part in (key, item)]
    elif isinstance(value, list):
        parts = [((*path, index), item) for index, item in enumerate(value)]
    else:
        return None
    return next((found for inner, part in parts if (found := _surrogate(part, inner)) is not None), None)


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
    diagnostics.error("$", "json", f"not JSON at column {problem.pos + 1}: {reason}", fix)


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
