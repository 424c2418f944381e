"""Whether a line of a file says exactly what was read from it, no more and no less."""

from __future__ import annotations

import msgspec
from stringzilla import count, find  # type: ignore[import-not-found,import-untyped,unused-ignore]  # it has no types

from ftbridge.dataset.example import Assistant, Chat, Example

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def verbatim(raw: bytes, example: Example) -> bool:
    """Whether `raw`, from which the sound `example` was read, has no key twice: readers differ on which then counts.

    Every key and every string stands between two quotes, and a line never holds fewer of them than
    what was read from it: where the two numbers agree, no key came twice.
    """
    found = _quotes(raw)
    return (type(example) is Chat and found == _least(example)) or found == _quotes(_encode(_decode(raw)))


def _quotes(data: bytes) -> int:
    """The quotes around keys and strings. One inside a string has an odd number of backslashes before it."""
    if find(data, b"\\\\") >= 0:
        data = data.replace(b"\\\\", b"")
    return int(count(data, b'"') - count(data, b'\\"'))


def _least(chat: Chat) -> int:
    """The quotes that a chat of texts needs; 0 for any other, which needs more than are counted here."""
    quotes = 2
    for message in chat.messages:
        if type(message.content) is not str:
            return 0
        quotes += 8
        if message.name is not None:
            quotes += 4
        if type(message) is Assistant and message.weight is not None:
            quotes += 2
    return quotes
