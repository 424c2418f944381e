"""Asking the teacher every question, once or several times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ftbridge.answers import Answer, AnswerCounts, Inquiry, Spending, ask, prepare
from ftbridge.context import Context
from ftbridge.distillation.questions import Question
from ftbridge.distillation.teacher import Teacher
from ftbridge.errors import UsageError
from ftbridge.ledger import times_of_answers
from ftbridge.wording import counted, dollars


class Sample(NamedTuple):
    """The answers of one round, one for each question, when each was given, and their counts.

    Answers that were not stored, since they are errors that pass, have no time.
    """

    answers: Sequence[Answer]
    times: Sequence[str | None]
    counts: AnswerCounts


def sampling_options(options: Mapping[str, Any], samples: int) -> dict[str, Any]:
    """The options of the questions: several samples have the temperature 1, unless another is given.

    Raises `UsageError` for no samples, and for several at a temperature of 0, at which all are the same.
    """
    if samples < 1:
        raise UsageError(f"{samples} samples are no answers", hint="Ask for 1 at least.")
    if samples > 1 and options.get("temperature") == 0:
        raise UsageError(
            f"{samples} samples at the temperature 0 are the same answer", hint="Give a --temperature above 0."
        )
    return {"temperature": 1.0, **options} if samples > 1 else dict(options)


def inquiries(
    context: Context,
    teacher: Teacher,
    questions: Sequence[Question],
    *,
    samples: int,
    options: Mapping[str, Any],
    fresh: bool,
) -> list[Inquiry]:
    """What asking takes, sample by sample."""
    fixed_seed = "seed" in options or bool(context.entry(teacher.target).facts.own_machine)
    asked, expected = [one.asked for one in questions], [one.expected for one in questions]
    return [
        prepare(
            context,
            teacher.target,
            teacher.model,
            asked,
            tuned=teacher.tuned,
            expected=expected,
            options=_with_seed(options, sample) if fixed_seed else options,
            sample=sample,
            fresh=fresh,
        )
        for sample in range(samples)
    ]


def _with_seed(options: Mapping[str, Any], sample: int) -> Mapping[str, Any]:
    """With one seed all samples would be the same; models on this machine have the seed 0 where none is given."""
    return {**options, "seed": options.get("seed", 0) + sample} if sample else options


def estimate_of(inquiries: Sequence[Inquiry]) -> float | None:
    """What all of it may cost, in US dollars; None where that is not known."""
    known = [inquiry.estimate_usd for inquiry in inquiries if inquiry.estimate_usd is not None]
    return sum(known) if len(known) == len(inquiries) else None


def tell_cost(context: Context, teacher: Teacher, inquiries: Sequence[Inquiry]) -> None:
    """Say, before anything is asked, what it may cost, unless that is nothing."""
    estimate, count = estimate_of(inquiries), sum(len(inquiry.unanswered) for inquiry in inquiries)
    asking = f"asking {teacher.name} {counted(count, 'question')}"
    if estimate is None:
        priced = all(inquiry.prices for inquiry in inquiries)
        why = "no answer is expected, and --max-tokens is not given" if priced else "the catalogue has no price"
        context.warn(f"{asking} costs money, and how much is not known: {why}")
    elif estimate:
        context.warn(f"{asking} may cost {dollars(estimate)}")


def take_samples(context: Context, teacher: Teacher, inquiries: Sequence[Inquiry], limit: Spending) -> list[Sample]:
    """All answers. Raises as `ask` does."""
    return [_take(context, teacher, inquiry, limit) for inquiry in inquiries]


def _take(context: Context, teacher: Teacher, inquiry: Inquiry, limit: Spending) -> Sample:
    answers = [*ask(context.ledger, inquiry, limit)]
    times = times_of_answers(context.ledger, inquiry.asked, [*inquiry.chats])
    counts = AnswerCounts.of(teacher.name, inquiry, answers)
    return Sample(answers, [times.get(key) for key in inquiry.hashes], counts)
