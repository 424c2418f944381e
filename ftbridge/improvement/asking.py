"""What the tuned model answers: answers that the ledger has, as after an evaluation, are not asked again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ftbridge.answers import AnswerCounts, Inquiry, ask_all
from ftbridge.context import Context
from ftbridge.evaluation.asking import Contender, inquiry_of
from ftbridge.improvement.rows import Row, answer_of
from ftbridge.jobs.results import tuned_model
from ftbridge.model import Job
from ftbridge.target import parse_target
from ftbridge.wording import counted, dollars


class Answered(NamedTuple):
    """What the model answers to some rows, in the form in which answers are compared, by line; and the counts.

    A row whose answer is missing, as the vendor was in trouble, has none.
    """

    answers: Mapping[int, str]
    counts: AnswerCounts


def ask_model(
    context: Context, job: Job, questions: Mapping[str, Sequence[Row]], *, max_cost_usd: float | None, fresh: bool
) -> dict[str, Answered]:
    """The answers to each named list of rows. Says before the first question how many there are and what they may cost.

    Raises as `ask_all` does.
    """

    def announce(name: str, inquiry: Inquiry) -> None:
        if inquiry.unanswered and inquiry.estimate_usd != 0:
            usd = inquiry.estimate_usd
            cost = "at an unknown price" if usd is None else f"for about {dollars(usd)}"
            context.warn(f"{job.target} is asked {counted(len(inquiry.unanswered), 'question')} ({name}), {cost}")

    target, model = parse_target(job.target), tuned_model(job)
    inquiries = {
        name: inquiry_of(context, Contender(name, target, model, {row.line: row.chat for row in rows}), fresh=fresh)
        for name, rows in questions.items()
        if rows
    }
    found = ask_all(context, inquiries, max_cost_usd=max_cost_usd, announce=announce)
    return {
        name: Answered(
            {
                row.line: answer_of(one.text, one.tool_calls)
                for row, one in zip(questions[name], answers, strict=True)
                if one.outcome != "missing"
            },
            counts,
        )
        for name, (answers, counts) in found.items()
    }
