"""The codes of findings, changes and errors, as the sources write them."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

from ftbridge import errors
from ftbridge.dataset.checking.secrets import KINDS

ROOT = Path(__file__).parents[2]
ROOMS = (
    *("ftbridge/dataset", "ftbridge/data.py", "ftbridge/trainer_configs"),
    *("providers/ftbridge_providers", "local_backend/ftbridge_local"),
)
_ARGUMENT = {"error": 1, "warning": 1, "warn": 0, "Finding": 3, "Unread": 0, "changed": 0, "UntrainableError": 1}
"""Which argument of these calls is a code."""

BY_NAME = {
    *KINDS,
    *("missing_role", "missing_type", "unknown_role", "unknown_type"),  # diagnose.py: by the name of the key
    *("compressed", "not_read"),  # kinds.py: by the first bytes
    "unclosed_quote",  # csv_rows.py
    *("overlap", "duplicates", "near_duplicates", "duplicate", "near_duplicate"),  # advice.py, prepare.py
    *("end_token_added", "reasoning_of_earlier_answers_left_out"),  # locate.py
}
"""Codes that are not written where they are reported."""


def codes_in(source: str) -> set[str]:
    """The codes that a source reports, where it writes them there."""
    found = set()
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        function = call.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        at = _ARGUMENT.get(name)
        if name == "add" and isinstance(function, ast.Attribute) and getattr(function.value, "id", "") == "codes":
            at = 0
        if at is None or len(call.args) <= at:
            continue
        code = call.args[at]
        if isinstance(code, ast.Constant) and isinstance(code.value, str):
            found.add(code.value)
    return found


def codes_in_sources() -> set[str]:
    """All codes of findings and changes."""
    files = [
        file for room in ROOMS for file in ([ROOT / room] if room.endswith(".py") else (ROOT / room).rglob("*.py"))
    ]
    return BY_NAME.union(*(codes_in(file.read_text("utf-8")) for file in files if "mock" not in file.parts))


def error_names() -> set[str]:
    """The errors that ftbridge raises."""
    return {
        name
        for name, one in inspect.getmembers(errors, inspect.isclass)
        if issubclass(one, errors.FtbridgeError) and one.__module__ == errors.__name__
    }
