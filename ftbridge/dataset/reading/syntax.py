"""Reading one line as a JSON object, and saying exactly why where it is none."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

import msgspec

from ftbridge.dataset.findings import Diagnostics
from ftbridge.dataset.reading.lines import LONGEST, Line
from ftbridge.wording import json_kind, json_path, printable

_SURROGATE = re.compile("[\ud800-\udfff]")
_decode = msgspec.json.Decoder().decode
_skim = msgspec.json.Decoder(msgspec.Raw).decode


def parse(raw: Line, diagnostics: Diagnostics) -> dict[str, Any] | None:
    """The JSON object in `raw`; or None, with the reason in `diagnostics`.

    Strict: NaN, numbers that no double holds and halves of surrogate pairs are refused.
    """
    if raw is None:
        diagnostics.error("$", "line_too_long", f"the line is longer than {LONGEST >> 20} MB", "Shorten the example.")
        return None
    try:
        _skim(raw)  # tells what is too deep, which takes long to build and to take down
        value = _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
        _explain(raw, problem, diagnostics)
        return None
    except RecursionError:
        _too_deep(diagnostics)
        return None
    if isinstance(value, dict):
        return value
    fix = 'Write one object per line, such as {"messages": [...]}.'
    diagnostics.error("$", "not_an_object", f"the line is {json_kind(value)}, not an object", fix)
    return None


def _explain(raw: bytes, problem: Exception, diagnostics: Diagnostics) -> None:
    """Find out by the standard library, slow but eloquent, what msgspec objects to."""
    try:
        text = raw.decode("utf-8").rstrip()
    except UnicodeDecodeError as wrong:
        sentence = f"byte {wrong.start + 1} of the line (0x{raw[wrong.start]:02x}) is not UTF-8"
        fix = "Save the file as UTF-8; for a Western Windows file: iconv -f WINDOWS-1252 -t UTF-8."
        diagnostics.error("$", "not_utf8", sentence, fix)
        return
    if not text:
        diagnostics.warning("$", "blank_line", "the line is blank and is skipped", "Remove it: some vendors refuse it.")
        return
    try:
        value = _strict.decode(text)
    except json.JSONDecodeError as wrong:
        _explain_syntax(text, wrong, diagnostics)
    except _RangeError as wrong:
        diagnostics.error("$", "number", str(wrong), "Use null, leave the key out, or write the number as a string.")
    except RecursionError:
        _too_deep(diagnostics)
    else:
        where = _surrogate(value, ())
        if where is None:
            sentence = f"the row cannot be read: {printable(str(problem), 200)}"
            diagnostics.error("$", "unreadable", sentence, "Write the row with a JSON library.")
        else:
            fix = "Remove it: the character is damaged."
            diagnostics.error(json_path(where), "surrogate", "the text holds half a surrogate pair", fix)


def _too_deep(diagnostics: Diagnostics) -> None:
    diagnostics.error("$", "too_deep", "the row is nested too deeply to be read", "Flatten it: no vendor reads it.")


def _surrogate(value: Any, where: tuple[str | int, ...]) -> tuple[str | int, ...] | None:
    """The place of the first string that holds half a surrogate pair, which no UTF-8 can carry."""
    if isinstance(value, str):
        return where if _SURROGATE.search(value) else None
    if isinstance(value, dict):
        parts = [((*where, key), part) for key, item in value.items() for part in (key, item)]
    elif isinstance(value, list):
        parts = [((*where, index), item) for index, item in enumerate(value)]
    else:
        return None
    return next((found for place, part in parts if (found := _surrogate(part, place)) is not None), None)


def _explain_syntax(text: str, problem: json.JSONDecodeError, diagnostics: Diagnostics) -> None:
    reason = printable(problem.msg[0].lower() + problem.msg[1:])
    if problem.msg == "Extra data":
        reason, fix = "there is more after the end of the object", "Write one object per line, and nothing after it."
    elif problem.pos >= len(text) or problem.msg.startswith("Unterminated string"):
        fix = "The line seems cut short: one example must be on one line, whole."
    elif text.lstrip().startswith(("{'", "['")):
        fix = "This looks like a printed Python value: write it with json.dumps."
    elif text[problem.pos] in "}]":
        fix = "Look for a comma too many before it."
    else:
        fix = "Write each row with a JSON library (json.dumps in Python) rather than by hand."
    diagnostics.error("$", "json", f"not JSON at column {problem.pos + 1}: {reason}", fix)


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


_strict = json.JSONDecoder(parse_constant=_constant, parse_int=_integer, parse_float=_float)
