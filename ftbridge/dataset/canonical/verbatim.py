"""Whether a line of a file says exactly what was read from it, no more and no less."""

from __future__ import annotations

import msgspec
from stringzilla import count, find  # type: ignore[import-not-found,import-untyped,unused-ignore]  # it has no types

from ftbridge.dataset.canonical.example import Assistant, Chat, Example

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def verbatim(raw: bytes, example: Example) -> bool:
    """Whether `raw`, from which the sound `example` was read, has no key twice: readers differ on which then counts.

    Every key and every string stands between two quotes, and a line never holds fewer of them than
    what was read from it: where the two numbers agree, no key came twice.
    """
    quotes = count(raw, b'"')
    if type(example) is Chat and example.tools is None:
        least = 2 + 8 * len(example.messages)  # "messages"; then "role" and "content", with a string each
        if quotes == least:
            return True
        if find(raw, b'\\\\"') < 0 and quotes - count(raw, b'\\"') in (least, least + _named(example)):
            return True
    read = _encode(_decode(raw))
    if find(raw, b"\\u0022") < 0:  # quotes inside strings are then written alike in both
        return bool(quotes == count(read, b'"'))
    return _outer(raw) == _outer(read)


def _named(chat: Chat) -> int:
    """The quotes of names and weights, where all content is text."""
    quotes = 0
    for message in chat.messages:
        if type(message.content) is not str:
            return 0
        if message.name is not None:
            quotes += 4
        if type(message) is Assistant and message.weight is not None:
            quotes += 2
    return quotes


def _outer(data: bytes) -> int:
    """The quotes around keys and strings. One inside a string has an odd number of backslashes before it."""
    data = data.replace(b"\\\\", b"")
    return data.count(b'"') - data.count(b'\\"')
