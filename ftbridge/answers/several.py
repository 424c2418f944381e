"""Asking several models, or one about several lists of questions, within one limit of costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ftbridge.answers.answer import Answer
from ftbridge.answers.ask import ask
from ftbridge.answers.counts import AnswerCounts
from ftbridge.answers.inquiry import Inquiry
from ftbridge.answers.price import Spending, check_estimate
from ftbridge.context import Context


class Answers(NamedTuple):
    """The answers to one inquiry in the order of its questions, and their counts."""

    answers: Sequence[Answer]
    counts: AnswerCounts


def ask_all(
    context: Context,
    inquiries: Mapping[str, Inquiry],
    *,
    max_cost_usd: float | None,
    announce: Callable[[str, Inquiry], None] | None = None,
) -> dict[str, Answers]:
    """The answers to each inquiry, by its name; `announce` gets each of them before the first request.

    Raises `OverBudget` before that where all of it may cost more than `max_cost_usd`, or that is not known, and later
    once it has.
    """
    check_estimate(((name, inquiry.estimate_usd) for name, inquiry in inquiries.items()), max_cost_usd)
    if announce:
        for name, inquiry in inquiries.items():
            announce(name, inquiry)
    limit = Spending(max_cost_usd)
    return {name: _ask(context, name, inquiry, limit) for name, inquiry in inquiries.items()}


def _ask(context: Context, name: str, inquiry: Inquiry, limit: Spending) -> Answers:
    answers = [*ask(context.ledger, inquiry, limit)]
    return Answers(answers, AnswerCounts.of(name, inquiry, answers))
