"""What the tuned model answers: answers that the ledger has, as after an evaluation, are not asked again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ftbridge.answers import AnswerCounts, Inquiry, Spending, ask, check_estimate, prepare
from ftbridge.context import Context
from ftbridge.dataset.canonical.example import Chat
from ftbridge.improvement.rows import Row, answer_of
from ftbridge.jobs.results import tuned_model
from ftbridge.model import Job
from ftbridge.target import parse_target
from ftbridge.wording import counted, dollars


class Answered(NamedTuple):
    """What the model answers to some rows, in the form in which answers are compared, by line; and the counts."""

    answers: Mapping[int, str]
    counts: AnswerCounts


def ask_model(
    context: Context, job: Job, questions: Mapping[str, Sequence[Row]], *, max_cost_usd: float | None, fresh: bool
) -> dict[str, Answered]:
    """The answers to each named list of rows. Says before the first question how many there are and what they may cost.

    Raises `OverBudget` before it where that may be more than `max_cost_usd`, and later once it is.
    """
    inquiries = {name: _prepare(context, job, rows, fresh=fresh) for name, rows in questions.items() if rows}
    check_estimate(((name, inquiry.estimate_usd) for name, inquiry in inquiries.items()), max_cost_usd)
    for name, inquiry in inquiries.items():
        if inquiry.unanswered and inquiry.estimate_usd != 0:
            cost = (
                "at an unknown price" if inquiry.estimate_usd is None else f"for about {dollars(inquiry.estimate_usd)}"
            )
            context.warn(f"{job.target} is asked {counted(len(inquiry.unanswered), 'question')} ({name}), {cost}")
    limit = Spending(max_cost_usd)
    return {name: _ask(context, name, questions[name], inquiry, limit) for name, inquiry in inquiries.items()}


def _prepare(context: Context, job: Job, rows: Sequence[Row], *, fresh: bool) -> Inquiry:
    questions = [Chat(messages=row.chat.messages[:-1], tools=row.chat.tools) for row in rows]
    expected = [row.chat for row in rows]
    return prepare(
        context, parse_target(job.target), tuned_model(job), questions, tuned=True, expected=expected, fresh=fresh
    )


def _ask(context: Context, name: str, rows: Sequence[Row], inquiry: Inquiry, limit: Spending) -> Answered:
    answers = [*ask(context.ledger, inquiry, limit)]
    said = {row.line: answer_of(one.text, one.tool_calls) for row, one in zip(rows, answers, strict=True)}
    return Answered(said, AnswerCounts.of(name, inquiry, answers))
