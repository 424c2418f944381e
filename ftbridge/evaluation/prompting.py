"""What a base model is told beside a question, to be a fair rival of a tuned one: a prompt, and examples."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile

import msgspec

from ftbridge.dataset import read_examples
from ftbridge.dataset.canonical.example import Assistant, Chat, Developer, Message, System, User
from ftbridge.dataset.data_file import data_file
from ftbridge.errors import DataError, InputError
from ftbridge.graders.item import expected_answer
from ftbridge.model import Spec

SEED = 0
"""Of the choice of examples: the same for everybody, so that a score can be repeated."""
_encode = msgspec.json.Encoder().encode


def prompted(chat: Chat, prompt: str | None, shots: Sequence[Chat]) -> Chat:
    """`chat` with `prompt` as its system message, in place of its own, and the turns of `shots` before its first one.

    The answers in the shots have weight 0: a loss is of the chat's own answer.
    """
    own = [*takewhile(lambda message: isinstance(message, System | Developer), chat.messages)]
    first: list[Message] = [*own] if prompt is None else [System(content=prompt)]
    turns: list[Message] = [message for shot in shots for message in _turns(shot)]
    return msgspec.structs.replace(chat, messages=[*first, *turns, *chat.messages[len(own) :]])


def choose_shots(spec: Spec, held_out: Iterable[Chat], count: int) -> dict[int, Chat]:
    """So many usable rows of the training file of `spec`, by their lines in the order of a shuffle with `SEED`.

    Usable is a chat in text without tools whose question is none of the `held_out` ones. Raises `DataError` where
    there are fewer, and `InputError` where there is no such file.
    """
    training = spec.data
    if not training.is_file():
        raise InputError(
            f"the training file {training}, from which examples are to be taken, is not there",
            hint="Put it back, or leave out --few-shot.",
        )
    asked = {_question(chat) for chat in held_out}
    rows = read_examples(data_file(training, spec.map), format=spec.format)
    usable = {line: row for line, row in rows if isinstance(row, Chat) and _is_usable(row, asked)}
    if len(usable) < count:
        raise DataError(
            f"{training} has {len(usable)} rows that can be examples, and {count} are wanted",
            hint="Usable are chats in text, without tools, that are not among the held-out rows: ask for fewer.",
        )
    lines = [*usable]
    random.Random(SEED).shuffle(lines)  # noqa: S311 - a choice that can be repeated, no secret
    return {line: usable[line] for line in lines[:count]}


def with_prompt(chats: Mapping[int, Chat], prompt: str | None, shots: Sequence[Chat]) -> dict[int, Chat]:
    """Each of the chats, `prompted`."""
    return {line: prompted(chat, prompt, shots) for line, chat in chats.items()}


def _turns(shot: Chat) -> list[Message]:
    turns = [message for message in shot.messages if not isinstance(message, System | Developer)]
    return [msgspec.structs.replace(turn, weight=0) if isinstance(turn, Assistant) else turn for turn in turns]


def _is_usable(chat: Chat, asked: set[bytes]) -> bool:
    in_text = all(isinstance(turn, User | Assistant) and isinstance(turn.content, str) for turn in _turns(chat))
    return in_text and not chat.tools and bool(expected_answer(chat)) and _question(chat) not in asked


def _question(chat: Chat) -> bytes:
    return _encode(_turns(chat)[:-1])
