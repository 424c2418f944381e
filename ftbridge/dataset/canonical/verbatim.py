"""Whether a line of a file contains exactly what was read from it, no more and no less.

`row` is what was read, as canonical JSON. A line never has fewer quotes than it, if it writes none as `\\u0022`:
where the two numbers agree, there is no other key and none twice.
"""

from __future__ import annotations

from typing import Any

import msgspec
from stringzilla import (  # type: ignore[import-not-found,import-untyped,unused-ignore]  # it has no types
    count,
    find,
)

from ftbridge.dataset.canonical.spelling import respelled

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_RENAMED = (b'"reasoning"', b"\\u006", b"\\u007")  # the last two are escaped letters, of which a key may be made
_RESPELLED = (b"null", b'"annotations"', *_RENAMED)
_NO_CONTENT = (b'"content": null', b'"content":null')


def verbatim(raw: bytes, row: bytes) -> bool:
    """Whether the line `raw`, from which the valid example `row` was read, repeats no key: readers differ on which
    value counts.
    """
    return _further_quotes(raw, row) == 0 or repeats_no_key(raw)


def repeats_no_key(raw: bytes) -> bool:
    """Whether no object in the valid JSON `raw` has a key twice."""
    return _no_key_twice(raw, _decode(raw))


def differences(raw: bytes, row: bytes) -> set[str]:
    """What the canonical `row` leaves out of `raw` or spells otherwise; empty where `raw` may be sent."""
    further = _further_quotes(raw, row)
    renamed = any(find(raw, sign) >= 0 for sign in _RENAMED)
    if further == 0 and not renamed:
        return set()
    codes: set[str] = set()
    decoded = _decode(raw)
    if not _no_key_twice(raw, decoded):
        codes.add("repeated_keys_removed")
    elif further == 2 * sum(count(raw, key) for key in _NO_CONTENT) and not renamed:
        return codes  # a content that is null is the only key that stands for nothing, and stays
    if any(find(raw, sign) >= 0 for sign in _RESPELLED):
        respelled(decoded, codes)
    return codes


def _further_quotes(raw: bytes, row: bytes) -> int | None:
    """How many quotes `raw` has more than `row`; None where those within texts may be written in another way."""
    return None if find(raw, b"\\u0022") >= 0 else count(raw, b'"') - count(row, b'"')


def _no_key_twice(raw: bytes, decoded: Any) -> bool:
    read = _encode(decoded)
    further = _further_quotes(raw, read)
    return _enclosing(raw) == _enclosing(read) if further is None else further == 0


def _enclosing(data: bytes) -> int:
    """How many quotes enclose keys and strings. One inside a string has an odd number of backslashes before it."""
    data = data.replace(b"\\\\", b"")
    return data.count(b'"') - data.count(b'\\"')
