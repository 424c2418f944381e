"""Whether a line of a file says exactly what was read from it, no more and no less."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from ftbridge.dataset.example import Example

_encode = msgspec.json.Encoder().encode


def verbatim(raw: bytes, example: Example) -> bool:
    """Whether `raw` may stand for `example`: JSON lets a key come twice, and readers differ on which counts.

    Every key and every string brings two quotes, and what was read never holds more of them
    than the line did. So where both hold the same number, no key came twice; only a quote
    written as \\u0022 could upset the sum. What remains is looked at pair by pair.
    """
    if raw.count(b'"') == _encode(example).count(b'"') and b"\\u0022" not in raw:
        return True
    try:
        json.loads(raw, object_pairs_hook=_distinct, parse_int=str)
    except (_RepeatedKeyError, RecursionError):
        return False
    return True


class _RepeatedKeyError(Exception):
    """A key came twice in one object."""


def _distinct(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise _RepeatedKeyError
