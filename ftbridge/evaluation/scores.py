"""What a model answers to each row, how good that is, and how good all of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from pydantic import Field

from ftbridge.answers import Answer, Outcome
from ftbridge.dataset import read_examples
from ftbridge.dataset.canonical.example import Assistant, Chat
from ftbridge.dataset.data_file import Data
from ftbridge.errors import DataError
from ftbridge.evaluation.clusters import Clusters, of_rows
from ftbridge.evaluation.intervals import Interval, mean_interval, share_interval
from ftbridge.files import replacing
from ftbridge.model import Frozen, RowLoss
from ftbridge.provider import Provider


class Score(Frozen):
    """`exact_match` is the share of answers equal to the expected ones, `loss` the mean per trained token in nats.

    The intervals are 95 % confidence intervals; a loss of few rows has none.
    """

    exact_match: float
    exact_match_interval: Interval
    loss: float | None = None
    loss_interval: Interval | None = None


class RowScore(Frozen):
    """One row of an evaluation: the messages before the answer, the answer, and whether it is the expected one.

    White space around them does not count. `outcome` says whether it is an answer at all: it may be cut or refused, or
    missing, for the `error`. `loss` is the mean of the row's `tokens` trained tokens, in nats, where the provider gives
    it and it is a number.
    """

    line: int
    question: list[dict[str, Any]]
    expected: str
    answer: str
    correct: bool
    outcome: Outcome = "answered"
    error: str | None = None
    loss: float | None = None
    tokens: int = Field(0, exclude=True)


def held_out_chats(data: Data) -> dict[int, Chat]:
    """The chats of a file by their lines, each ending with the answer that is expected."""
    chats = {}
    for line, example in read_examples(data):
        if not isinstance(example, Chat) or not expected_answer(example):
            raise DataError(
                f"{data}, line {line}: this row has no text answer to compare with",
                hint="Evaluate on chats whose last message is the assistant's, in text.",
                line=line,
            )
        chats[line] = example
    return chats


def questions_of(chats: Mapping[int, Chat]) -> list[Chat]:
    """The chats without the answers that are expected."""
    return [Chat(messages=chat.messages[:-1], tools=chat.tools) for chat in chats.values()]


def score_rows(provider: Provider, model: str, chats: Mapping[int, Chat], answers: Sequence[Answer]) -> list[RowScore]:
    """The model's answer to each chat, and its loss on the expected answer where the provider gives it."""
    gives_loss = "losses" in provider.capabilities.verbs
    losses = provider.losses(model, [*chats.values()]) if gives_loss else [RowLoss()] * len(chats)
    return [
        RowScore(
            line=line,
            question=[msgspec.to_builtins(message) for message in chat.messages[:-1]],
            expected=expected_answer(chat),
            answer=answer.text,
            outcome=answer.outcome,
            error=answer.error,
            correct=answer.text.strip() == expected_answer(chat),
            loss=of.loss if of.tokens and math.isfinite(of.loss) else None,
            tokens=of.tokens,
        )
        for (line, chat), answer, of in zip(chats.items(), answers, losses, strict=True)
    ]


def score(rows: Sequence[RowScore], clusters: Clusters = None) -> Score:
    """The score of a model by its rows."""
    correct = [row.correct for row in rows]
    shares = {"exact_match": sum(correct) / len(rows), "exact_match_interval": share_interval(correct, clusters)}
    with_loss = [index for index, row in enumerate(rows) if row.loss is not None]
    if not with_loss:
        return Score.model_validate(shares)
    losses, tokens = losses_of(rows)
    interval = mean_interval(losses, weights=tokens, clusters=of_rows(clusters, with_loss))
    loss = sum(loss * count for loss, count in zip(losses, tokens, strict=True)) / sum(tokens)
    return Score.model_validate({**shares, "loss": loss, "loss_interval": interval})


def losses_of(rows: Sequence[RowScore]) -> tuple[list[float], list[int]]:
    """The losses of the rows that have one, and of how many tokens each is the mean."""
    known = [(row.loss, row.tokens) for row in rows if row.loss is not None]
    return [loss for loss, _ in known], [tokens for _, tokens in known]


def write_rows(rows: Sequence[RowScore], file: Path) -> None:
    """Write them as JSON Lines, completely or not at all; the file is its owner's alone, as it holds data."""
    with replacing(file) as temporary, temporary.open("w", encoding="utf-8") as lines:
        lines.writelines(row.model_dump_json() + "\n" for row in rows)


def expected_answer(chat: Chat) -> str:
    """The text of the last message, without white space around it; empty where it is no text of the assistant's."""
    last = chat.messages[-1]
    return last.content.strip() if isinstance(last, Assistant) and isinstance(last.content, str) else ""
