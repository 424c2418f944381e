"""Whether a line of a file contains exactly what was read from it, no more and no less."""

from __future__ import annotations

import msgspec
from stringzilla import (  # type: ignore[import-not-found,import-untyped,unused-ignore]  # it has no types
    count,
    find,
)

from ftbridge.dataset.canonical.example import Assistant, Chat, Example

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def doubtful(raws: list[bytes], rows: list[bytes]) -> list[int]:
    """The indices of lines that may repeat a key; `rows` is what was read from them, as canonical JSON.

    A line never has fewer quotes than what was read from it, if it writes none as `\\u0022`: where the two numbers
    agree, for all lines together or for one, no key is repeated. `verbatim` decides about the others, and about lines
    with a null, whose key is not in what was read.
    """
    everything = b"".join(raws)
    if find(everything, b"\\u0022") >= 0:
        return list(range(len(raws)))
    nulls = (
        [index for index, raw in enumerate(raws) if find(raw, b"null") >= 0] if find(everything, b"null") >= 0 else []
    )
    more = count(everything, b'"') - count(b"".join(rows), b'"')
    if more == sum(count(raws[index], b'"') - count(rows[index], b'"') for index in nulls):
        return nulls
    pairs = enumerate(zip(raws, rows, strict=True))
    return [index for index, (raw, row) in pairs if count(raw, b'"') != count(row, b'"')]


def verbatim(raw: bytes, example: Example) -> bool:
    """Whether `raw`, from which the valid `example` was read, repeats no key: readers differ on which value counts.

    Every key and every string is enclosed in two quotes, and a line never has fewer of them than
    what was read from it: where the two numbers agree, no key is repeated.
    """
    quotes = count(raw, b'"')
    if type(example) is Chat and example.tools is None:
        expected = 2 + 8 * len(example.messages)  # "messages"; then "role" and "content", with a string each
        if quotes == expected:
            return True
        if find(raw, b'\\\\"') < 0 and quotes - count(raw, b'\\"') in (expected, expected + _optional_quotes(example)):
            return True
    read = _encode(_decode(raw))
    if find(raw, b"\\u0022") < 0:  # quotes inside strings are then written alike in both
        return bool(quotes == count(read, b'"'))
    return _enclosing(raw) == _enclosing(read)


def _optional_quotes(chat: Chat) -> int:
    """How many quotes names and weights have, where all content is text."""
    quotes = 0
    for message in chat.messages:
        if type(message.content) is not str:
            return 0
        if message.name is not None:
            quotes += 4
        if type(message) is Assistant and message.weight is not None:
            quotes += 2
    return quotes


def _enclosing(data: bytes) -> int:
    """How many quotes enclose keys and strings. One inside a string has an odd number of backslashes before it."""
    data = data.replace(b"\\\\", b"")
    return data.count(b'"') - data.count(b'\\"')
