"""What the models of an evaluation answer, and their losses on the expected answers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ftbridge.answers import Answer, AnswerCounts, ask_all
from ftbridge.context import Context
from ftbridge.errors import NetworkError
from ftbridge.evaluation.asking import Contender, inquiry_of
from ftbridge.graders import sample_of
from ftbridge.model import RowLoss
from ftbridge.provider import Provider


class Answered(NamedTuple):
    """A model with its answers in the order of the rows, and its losses where asked for.

    `samples` are the answers as graders read them; None for one that is missing, which nobody can grade.
    """

    name: str
    answers: Sequence[Answer]
    samples: Sequence[Mapping[str, Any] | None]
    losses: Sequence[RowLoss] | None = None


def answered(
    context: Context, contenders: Sequence[Contender], *, losses: bool, max_cost_usd: float | None, fresh: bool
) -> tuple[list[Answered], tuple[AnswerCounts, ...]]:
    """All that each model answers, with `losses` where its provider tells them; and what became of the questions.

    Raises as `ask_all` does, and `NetworkError` where no row was answered by all models.
    """
    inquiries = {one.name: inquiry_of(context, one, fresh=fresh) for one in contenders}
    found = ask_all(context, inquiries, max_cost_usd=max_cost_usd)
    models = []
    for one in contenders:
        answers, provider = found[one.name].answers, context.provider(one.target)
        told = provider.losses(one.model, [*one.chats.values()]) if losses and gives_losses(provider) else None
        models.append(Answered(one.name, answers, [*map(_sample, answers)], told))
    counts = tuple(one.counts for one in found.values())
    if not answered_by_all(models):
        problem = next((one.first_error for one in counts if one.missing), None)
        raise NetworkError(f"no row was answered by all models: {problem}", hint="The same command asks again.")
    return models, counts


def answered_by_all(models: Sequence[Answered]) -> list[int]:
    """The rows of which no model's answer is missing."""
    rows = zip(*(one.samples for one in models), strict=True)
    return [index for index, row in enumerate(rows) if None not in row]


def gives_losses(provider: Provider) -> bool:
    """Whether a provider tells the loss of a row."""
    return "losses" in provider.capabilities.verbs


def loss_of(loss: RowLoss) -> float | None:
    """The loss of a row; None for one that is no number, or of no token."""
    return loss.loss if loss.tokens and math.isfinite(loss.loss) else None


def _sample(answer: Answer) -> Mapping[str, Any] | None:
    return None if answer.outcome == "missing" else sample_of(answer.message)
