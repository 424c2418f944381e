"""Whether a line of a file says exactly what was read from it, no more and no less."""

from __future__ import annotations

import json
from operator import attrgetter
from typing import Any

import msgspec

from ftbridge.dataset.example import Assistant, Chat, Example

_content = attrgetter("content")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def verbatim(raw: bytes, example: Example) -> bool:
    """Whether `raw` may stand for `example`: JSON lets a key come twice, and readers differ on which counts.

    Every key and every string brings two quotes, and a line never holds fewer of them than
    what was read from it: where the two numbers agree, no key came twice. Quotes inside a
    text count too, but may also be written as \\u0022, which spoils the sum.
    """
    quotes = raw.count(b'"')
    if type(example) is Chat and quotes == 2 + 8 * len(example.messages):
        return True
    if b"\\u0022" not in raw:
        return (type(example) is Chat and _is_plain(example, quotes)) or quotes == _encode(_decode(raw)).count(b'"')
    try:
        json.loads(raw, object_pairs_hook=_distinct, parse_int=str)
    except (_RepeatedKeyError, RecursionError):
        return False
    return True


def _is_plain(chat: Chat, quotes: int) -> bool:
    """Whether the texts of a chat, its names and its weights account for all the `quotes`."""
    try:
        left = quotes - 2 - 8 * len(chat.messages) - "".join(map(_content, chat.messages)).count('"')
    except TypeError:  # a content that is no text
        return False
    if left:
        for message in chat.messages:
            left -= 4 if message.name is not None else 0
            left -= 2 if type(message) is Assistant and message.weight is not None else 0
    return left == 0


class _RepeatedKeyError(Exception):
    """A key came twice in one object."""


def _distinct(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise _RepeatedKeyError
