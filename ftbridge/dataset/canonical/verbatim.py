"""Whether a line of a file contains exactly what was read from it, no more and no less."""

from __future__ import annotations

import msgspec
from stringzilla import (  # type: ignore[import-not-found,import-untyped,unused-ignore]  # it has no types
    count,
    find,
)

from ftbridge.dataset.canonical.example import Chat, Example
from ftbridge.dataset.canonical.spelling import respelled

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_RESPELLED = (b"null", b'"reasoning"', b'"annotations"', b"\\u006", b"\\u007")  # the last two are escaped letters


def doubtful(raws: list[bytes], rows: list[bytes]) -> list[int]:
    """The indices of lines that may repeat a key or spell one otherwise; `rows` is what was read from them, as JSON.

    A line never has fewer quotes than what was read from it, if it writes none as `\\u0022`: where the two numbers
    agree, for all lines together or for one, no key is repeated. `verbatim` and `differences` decide about the others,
    and about lines with a sign of another spelling, such as a null, whose key is not in what was read.
    """
    everything = b"".join(raws)
    if find(everything, b"\\u0022") >= 0:
        return list(range(len(raws)))
    signs = [sign for sign in _RESPELLED if find(everything, sign) >= 0]
    apart = {index for index, raw in enumerate(raws) if any(find(raw, sign) >= 0 for sign in signs)} if signs else set()
    more = count(everything, b'"') - count(b"".join(rows), b'"')
    if more == sum(count(raws[index], b'"') - count(rows[index], b'"') for index in apart):
        return sorted(apart)
    pairs = enumerate(zip(raws, rows, strict=True))
    return [index for index, (raw, row) in pairs if index in apart or count(raw, b'"') != count(row, b'"')]


def verbatim(raw: bytes, example: Example) -> bool:
    """Whether `raw`, from which the valid `example` was read, repeats no key: readers differ on which value counts.

    Every key and every string is enclosed in two quotes, and a line never has fewer of them than
    what was read from it: where the two numbers agree, no key is repeated.
    """
    return _nothing_else(raw, example) or _no_key_twice(raw)


def differences(raw: bytes, example: Example) -> set[str]:
    """What a row written anew from `example` leaves out of `raw` or spells otherwise; empty where `raw` may be sent."""
    codes: set[str] = set()
    if not _nothing_else(raw, example):
        if not _no_key_twice(raw):
            codes.add("repeated_keys_removed")
        if any(find(raw, sign) >= 0 for sign in _RESPELLED):
            respelled(_decode(raw), codes)
    return codes


def _nothing_else(raw: bytes, example: Example) -> bool:
    """Whether there are no more quotes than an ordinary chat needs, so that there is no key beside those it has."""
    if type(example) is not Chat or example.tools is not None:
        return False
    quotes = count(raw, b'"')
    expected = 2 + 8 * len(example.messages)  # "messages"; then "role" and "content", with a string each
    if quotes == expected:
        return True
    return find(raw, b'\\\\"') < 0 and quotes - count(raw, b'\\"') in (expected, expected + _optional_quotes(example))


def _no_key_twice(raw: bytes) -> bool:
    read = _encode(_decode(raw))
    if find(raw, b"\\u0022") < 0:  # quotes inside strings are then written alike in both
        return bool(count(raw, b'"') == count(read, b'"'))
    return _enclosing(raw) == _enclosing(read)


def _optional_quotes(chat: Chat) -> int:
    """How many quotes names and weights have, where all content is text."""
    quotes = 0
    for message in chat.messages:
        if type(message.content) is not str:
            return 0
        if message.name is not None:
            quotes += 4
        if message.weight is not None:
            quotes += 2
    return quotes


def _enclosing(data: bytes) -> int:
    """How many quotes enclose keys and strings. One inside a string has an odd number of backslashes before it."""
    data = data.replace(b"\\\\", b"")
    return data.count(b'"') - data.count(b'\\"')
