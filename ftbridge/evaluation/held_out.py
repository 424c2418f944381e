"""Held-out rows: what is asked, and what is expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from ftbridge.dataset import read_examples
from ftbridge.dataset.canonical.example import Assistant, Chat, Message, Task
from ftbridge.dataset.data_file import Data
from ftbridge.errors import DataError
from ftbridge.graders.item import expected_answer, item_of


def held_out_chats(data: Data, format: str | None = None) -> dict[int, Chat]:  # noqa: A002 - the word users know
    """The chats of a file by their lines, each ending with the answer that is expected; or tasks with a reference."""
    chats = {}
    for line, example in read_examples(data, format=format):
        if not isinstance(example, Chat) or not _expects_an_answer(example):
            raise DataError(
                f"{data}, line {line}: this row has no answer to compare with",
                hint="Evaluate on chats whose last message is the assistant's, a text or tool calls.",
                line=line,
            )
        chats[line] = example
    return chats


def _expects_an_answer(chat: Chat) -> bool:
    return isinstance(chat, Task) or bool(expected_answer(chat) or expected_calls(chat))


def question_of(chat: Chat) -> list[Message]:
    """The messages before the expected answer."""
    return chat.messages if isinstance(chat, Task) else chat.messages[:-1]


def expected_calls(chat: Chat) -> tuple[dict[str, Any], ...]:
    """The tool calls of the last message."""
    last = chat.messages[-1]
    return tuple(msgspec.to_builtins(last.tool_calls or ())) if isinstance(last, Assistant) else ()


def items_of(chats: Iterable[Chat]) -> list[Mapping[str, Any]]:
    """What graders read of the rows."""
    return [item_of(chat, chat.reference if isinstance(chat, Task) else None) for chat in chats]


def questions_of(chats: Mapping[int, Chat]) -> list[Chat]:
    """The chats without the answers that are expected."""
    return [Chat(messages=question_of(chat), tools=chat.tools) for chat in chats.values()]
