"""Making a dataset of a teacher's answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from statistics import fmean
from typing import Any, Unpack

from ftbridge.answers import AnswerCounts, Inquiry, Spending, check_estimate
from ftbridge.arguments import ChatOptions
from ftbridge.context import Context
from ftbridge.dataset.canonical.example import Chat
from ftbridge.dataset.reading.given import Given, given
from ftbridge.dataset.reading.prompts import read_prompts
from ftbridge.dataset.writing.atomic_file import mode_like
from ftbridge.distillation.candidates import Candidate, candidates_of, scored
from ftbridge.distillation.choosing import choose
from ftbridge.distillation.files import Files, choose_files, write_files
from ftbridge.distillation.grading import find_grader, grading
from ftbridge.distillation.questions import choose_questions
from ftbridge.distillation.results import Distillation, Origin
from ftbridge.distillation.rows import Reasoning, Rejected, said_in
from ftbridge.distillation.sampling import (
    estimate_of,
    inquiries,
    sampling_options,
    take_samples,
    tell_cost,
)
from ftbridge.distillation.teacher import Teacher, find_teacher
from ftbridge.errors import DataError, UsageError
from ftbridge.model import Job
from ftbridge.provider.completions import check_options
from ftbridge.wording import counted


def distill(
    context: Context,
    prompts: Given,
    teacher: Job | str,
    out: str | Path,
    *,
    samples: int = 1,
    grader: Mapping[str, Any] | str | Path | None = None,
    metric: str | None = None,
    judge: str | None = None,
    minimum: float | None = None,
    system: str | None = None,
    hide_system: bool = False,
    reasoning: Reasoning = "drop",
    near_duplicates: bool = False,
    rejects: str | Path | None = None,
    map: Mapping[str, str] | None = None,  # noqa: A002 - the word users know
    max_cost_usd: float | None = None,
    fresh: bool = False,
    dry_run: bool = False,
    **options: Unpack[ChatOptions],
) -> Distillation:
    """Ask the teacher, a target or a job, every prompt, and write its answers into the file `out` as training rows.

    `prompts` is a file in any format, or rows: an answer that they have is not taught, but what `metric` compares with.
    Of several `samples` the one is kept to which `grader`, in OpenAI's form, or `metric` gives the best score, from
    `minimum` on; without either, all that differ. A grader's model is the target that it names, or `judge`. The text
    `system` is the teacher's system message, and with `hide_system` not that of the rows. `options` are those of a chat
    completion. Answers and verdicts that the ledger has are not asked for again, unless `fresh`.

    Raises `DataError` for prompts that are not valid and where no answer becomes a row, `OverBudget` where asking the
    teacher may cost more than `max_cost_usd`, or that is not known, and what ends the run: the same call goes on.
    """
    if minimum is not None and grader is None and metric is None:
        raise UsageError("a minimum is given, and nothing scores the answers", hint="Give --grader or --metric.")
    if hide_system and system is None:
        raise UsageError("there is no system message to hide", hint="Give --system FILE as well.")
    body = sampling_options(check_options(options), samples)
    with given(prompts, context.home, map, often=True) as file:
        files = choose_files(Path(out), Path(rejects) if rejects else None, Path(file))
        read, mode = read_prompts(file), mode_like(file)
        chosen = choose_questions(read, system, hide_system=hide_system, near_duplicates=near_duplicates)
    scorer = find_grader(grader, metric, chosen.questions)
    asked = find_teacher(context, teacher, chosen.questions)
    with grading(context, scorer, judge, fresh=fresh) as means:
        plan = inquiries(context, asked, chosen.questions, samples=samples, options=body, fresh=fresh)
        made = Distillation(
            teacher=asked.name,
            prompts=len(read),
            duplicates=chosen.duplicates,
            near_duplicates=chosen.near_duplicates,
            samples=samples,
            questions=sum(len(inquiry.unanswered) for inquiry in plan),
            estimate_usd=estimate_of(plan),
            dry_run=dry_run,
        )
        check_estimate([(asked.name, made.estimate_usd)], max_cost_usd)
        if dry_run:
            return made
        tell_cost(context, asked, plan)
        taken = take_samples(context, asked, plan, Spending(max_cost_usd))
        candidates = candidates_of(chosen.questions, taken, reasoning)
        if scorer is not None:
            candidates = scored(scorer, candidates, means)
    every = [*choose(candidates, graded=scorer is not None, minimum=minimum)]
    kept = [one for one in every if isinstance(one.row, Chat)]
    rejected = [(one, one.row) for one in every if isinstance(one.row, Rejected)]
    origins = [_origin(one, asked, plan, hide_system=hide_system, reasoning=reasoning) for one in kept]
    write_files(files, kept, [one for one, _why in rejected], [one.model_dump(mode="json") for one in origins], mode)
    reasons: Counter[str] = Counter(why.reason for _one, why in rejected)
    if not kept:
        raise _nothing_kept(asked, reasons, files)
    scores = [one.score for one in kept if one.score is not None]
    return made.model_copy(
        update={
            "rows": len(kept),
            "rejected": dict(reasons),
            "reasoning_dropped": sum(one.reasoning_dropped for one in origins),
            "mean_score": fmean(scores) if scores else None,
            "answers": AnswerCounts.together([one.counts for one in taken]),
            "out": files.rows,
            "rejects": files.rejects,
            "provenance": files.provenance,
        }
    )


def _nothing_kept(teacher: Teacher, reasons: Counter[str], files: Files) -> DataError:
    why = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
    return DataError(
        f"no answer of {teacher.name} became a row: {why}",
        hint=f"{files.rejects} has {counted(reasons.total(), 'answer')}, each with the reason.",
    )


def _origin(
    one: Candidate, teacher: Teacher, plan: Sequence[Inquiry], *, hide_system: bool, reasoning: Reasoning
) -> Origin:
    return Origin(
        prompt_line=one.question.line,
        teacher=teacher.name,
        model=teacher.model,
        answered_at=datetime.fromisoformat(one.at) if one.at else None,
        sample=one.sample,
        options=plan[one.sample].options,
        score=one.score,
        system_hidden=hide_system,
        reasoning_dropped=reasoning == "drop" and said_in(one.answer).reasoning is not None,
    )
