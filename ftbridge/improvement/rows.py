"""Rows as they are compared: an input, and the answer to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from ftbridge.dataset import read_examples
from ftbridge.dataset.canonical.example import Assistant, Chat, Developer, Example, ImagePart, Message, System, Task
from ftbridge.dataset.canonical.texts import content_texts
from ftbridge.dataset.checking.digests import digest
from ftbridge.dataset.data_file import Data

_encode = msgspec.json.Encoder().encode


class Row(NamedTuple):
    """A chat that ends with an answer; `number` counts the rows of the file from 1, which may have blank lines.

    `input` is the text before the answer, without system messages, and `setting` the digest of these, of tools and of
    images: the same input in another setting is another question. `answer` is equal for answers that mean the same:
    JSON without its spelling, tool calls without their ids, text without white space around it.
    """

    number: int
    line: int
    chat: Chat
    setting: bytes
    input: str
    answer: str


def read_rows(data: Data, format: str | None = None) -> Iterator[tuple[int, Row | None]]:  # noqa: A002 - the word users know
    """The rows of a file by their lines; None for one that is no chat which ends with an answer."""
    for number, (line, example) in enumerate(read_examples(data, format=format), 1):
        yield line, _row(number, line, example)


def _row(number: int, line: int, example: Example) -> Row | None:
    if not isinstance(example, Chat) or isinstance(example, Task) or not example.messages:
        return None
    *before, last = example.messages
    if not isinstance(last, Assistant):
        return None
    answer = answer_of("\n".join(content_texts(last.content)), msgspec.to_builtins(last.tool_calls or []))
    setting = [*filter(_is_system, before), *(part for message in before for part in _images(message))]
    texts = (text for message in before if not _is_system(message) for text in _texts(message))
    settings = digest(_encode([setting, example.tools]))
    return Row(number, line, example, settings, "\n".join(texts), answer) if answer else None


def answer_of(text: str, tool_calls: Any) -> str:
    """An answer in the form in which it is compared."""
    functions = [call.get("function") or {} for call in tool_calls]
    calls = [{"tool": one.get("name"), "arguments": _value(one.get("arguments"))} for one in functions]
    value = _value(text.strip())
    if calls:
        return _dumps(calls if not value else [value, *calls])
    return value if isinstance(value, str) else _dumps(value)


def json_of(answer: str) -> Any:
    """The object or list that an answer is, or None."""
    value = _value(answer)
    return None if isinstance(value, str) else value


def _value(text: Any) -> Any:
    if not isinstance(text, str) or text[:1] not in ("{", "["):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # of brackets in brackets, as a model may repeat them
        return text


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _is_system(message: Message) -> bool:
    return isinstance(message, System | Developer)


def _images(message: Message) -> list[ImagePart]:
    return [part for part in message.content or () if isinstance(part, ImagePart)]


def _texts(message: Message) -> Iterator[str]:
    yield from content_texts(message.content)
    if isinstance(message, Assistant):
        yield from (f"{call.function.name} {call.function.arguments}" for call in message.tool_calls or ())
