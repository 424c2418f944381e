"""Getting the answers of an evaluation: of all its models, within one limit of costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ftbridge.answers import Answer, AnswerCounts, Inquiry, Spending, ask, check_estimate, prepare
from ftbridge.context import Context
from ftbridge.dataset.canonical.example import Chat
from ftbridge.evaluation.held_out import questions_of
from ftbridge.target import Target


class Contender(NamedTuple):
    """One model of an evaluation, and the chats that it is scored on; `tuned` unless it is a base."""

    name: str
    target: Target
    model: str
    chats: Mapping[int, Chat]
    tuned: bool = True


class Answers(NamedTuple):
    """The answers of one model in the order of its chats, and their counts."""

    answers: Sequence[Answer]
    counts: AnswerCounts


def ask_all(
    context: Context, contenders: Sequence[Contender], *, max_cost_usd: float | None, fresh: bool
) -> dict[str, Answers]:
    """The answers of each, by its name.

    Raises `OverBudget` before the first request where all of it may cost more than `max_cost_usd`, or that is not
    known, and later once it has.
    """
    inquiries = {one.name: _prepare(context, one, fresh=fresh) for one in contenders}
    check_estimate(((name, inquiry.estimate_usd) for name, inquiry in inquiries.items()), max_cost_usd)
    limit = Spending(max_cost_usd)
    return {name: _ask(context, name, inquiry, limit) for name, inquiry in inquiries.items()}


def _prepare(context: Context, one: Contender, *, fresh: bool) -> Inquiry:
    expected = [*one.chats.values()]
    questions = questions_of(one.chats)
    return prepare(context, one.target, one.model, questions, tuned=one.tuned, expected=expected, fresh=fresh)


def _ask(context: Context, name: str, inquiry: Inquiry, limit: Spending) -> Answers:
    answers = [*ask(context.ledger, inquiry, limit)]
    return Answers(answers, AnswerCounts.of(name, inquiry, answers))
