"""How good a model is on rows it has not seen: exact answers, and loss where the provider gives it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ftbridge.dataset import read_examples
from ftbridge.dataset.example import Assistant, Chat
from ftbridge.errors import DataError
from ftbridge.model import Frozen
from ftbridge.provider import Provider


class Score(Frozen):
    """`exact_match` is the share of answers equal to the expected ones, `loss` the mean per trained token in nats."""

    exact_match: float
    loss: float | None = None


class Evaluation(Frozen):
    """The tuned model's score, and the base's beside it where it was asked for."""

    rows: int
    tuned: Score
    baseline: Score | None = None


def held_out_chats(data: Path) -> list[Chat]:
    """The chats of a file, each ending with the answer that is expected."""
    chats = []
    for line, example in read_examples(data):
        if not isinstance(example, Chat) or not _expected(example):
            raise DataError(
                f"{data}, line {line}: this row has no text answer to compare with",
                hint="Evaluate on chats whose last message is the assistant's, in text.",
                line=line,
            )
        chats.append(example)
    return chats


def score(provider: Provider, model: str, chats: Sequence[Chat]) -> Score:
    """Ask `model` every question and compare; leading and trailing white space does not count."""
    questions = (Chat(messages=chat.messages[:-1], tools=chat.tools) for chat in chats)
    replies = provider.replies(model, questions)
    right = sum(reply.text.strip() == _expected(chat) for chat, reply in zip(chats, replies, strict=True))
    loss = provider.loss(model, chats) if "loss" in provider.capabilities.verbs else None
    return Score(exact_match=right / len(chats), loss=loss)


def _expected(chat: Chat) -> str:
    last = chat.messages[-1]
    return last.content.strip() if isinstance(last, Assistant) and isinstance(last.content, str) else ""
