"""How deeply the values of a row may be nested.

A limit of our own, since that of Python depends on the calls that the program is in: the same row would be read by one
program and refused in another.
"""

from __future__ import annotations

import re

DEEPEST = 100
"""Levels of lists and objects: enough for any schema of a tool."""

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)


def is_too_deep(raw: bytes) -> bool:
    """Whether some JSON, complete or not, has more than `DEEPEST` levels."""
    if raw.count(b"[") + raw.count(b"{") <= DEEPEST:
        return False
    depth = 0
    for token in _TOKEN.finditer(raw):
        sign = token.group()
        if sign in (b"[", b"{"):
            depth += 1
            if depth > DEEPEST:
                return True
        elif sign in (b"]", b"}"):
            depth -= 1
    return False
