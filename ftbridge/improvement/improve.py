"""From the failures of a tuned model back to the data that it was trained on."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ftbridge.context import Context
from ftbridge.dataset import check
from ftbridge.dataset.data_file import Data
from ftbridge.dataset.reading.given import Given, check_command, given
from ftbridge.errors import DataError, InputError
from ftbridge.improvement.asking import Answered, ask_model
from ftbridge.improvement.contradictions import contradictions, near_contradictions
from ftbridge.improvement.draft import SEED, check_free, write_draft
from ftbridge.improvement.failures import Reasons, failures_of, seldom_labels
from ftbridge.improvement.inputs import Inputs
from ftbridge.improvement.labels import Labels, predictable, suspect_labels, telling
from ftbridge.improvement.results import KINDS, Improvement, Issue
from ftbridge.improvement.rows import Row, read_rows
from ftbridge.jobs.listing import succeeded
from ftbridge.jobs.own_files import how_to_read
from ftbridge.model import Job
from ftbridge.wording import counted

HELD_OUT, TRAINING = "held-out rows", "training rows"


def improve(
    context: Context,
    job: Job | str,
    data: Given,
    *,
    out: str | Path | None = None,
    include_held_out: bool = False,
    ask_training: int = 0,
    max_cost_usd: float | None = None,
    fresh: bool = False,
    format: str | None = None,  # noqa: A002 - the word users know
    map: Mapping[str, str] | None = None,  # noqa: A002 - likewise
) -> Improvement:
    """What the answers of the job's model to held-out rows say about its training file, by the lines of both.

    `data`, `format` and `map` are as those of `Bridge.check`; a file of the job is read as the job read it. Each row is
    a chat that ends with the expected answer. Where it is the training file itself, what fails are rows that the model
    has not learned. `ask_training` asks so many training rows, too, drawn at random. Answers that the ledger has are
    not asked again, unless `fresh`; all others may cost at most `max_cost_usd`. Texts are compared by the runs of
    characters that they share, without a model.

    With `out` that file gets rows for a second round, which `Bridge.submit` takes with `from_job`; beside it, as
    `NAME.templates.jsonl`, are rows to be written. Held-out rows are among them only with `include_held_out`: they
    cannot judge a model any more that was trained on them.

    Raises `DataError` for rows without an expected answer, `InputError` where the training file is gone or `out`
    exists, `JobFailed` for a job without a model, and `OverBudget`.
    """
    if out is not None:
        check_free(Path(out))
    tuned = succeeded(context, job).job
    training, left_out = _training_rows(context, tuned)
    format, map = how_to_read(tuned.spec, data, format, map)  # noqa: A001 - the words users know
    with given(data, context.home, map, often=True) as file:
        held_out, held_out_file = _held_out_rows(file, format), str(file)
    same_file = _are_same(training, held_out)
    held_out = training if same_file else held_out
    asked = [] if same_file else _sample(training, ask_training)
    questions = {HELD_OUT: held_out, TRAINING: asked}
    answers = ask_model(context, tuned, questions, max_cost_usd=max_cost_usd, fresh=fresh)
    inputs, labels = Inputs(training), Labels(training)
    shares = predictable(labels, inputs)
    failures = failures_of(held_out, answers[HELD_OUT].answers, inputs)
    contradicting = [*contradictions(inputs), *near_contradictions(inputs)]
    known = {line for issue in contradicting for line in issue.training}
    issues = [
        *contradicting,
        *suspect_labels(labels, inputs, telling(shares), known),
        *seldom_labels(labels, held_out, inputs),
        *Reasons(labels, inputs, telling(shares)).issues(failures),
        *_not_learned(context, tuned, training, answers.get(TRAINING)),
    ]
    issues.sort(key=lambda issue: KINDS.index(issue.kind))
    drafted = None
    if out is not None:
        failed = [failure.row for failure in failures]
        drafted = write_draft(Path(out), issues, training, failed, include_held_out=include_held_out)
    return Improvement(
        job=tuned.id,
        training_file=str(tuned.spec.data),
        held_out_file=held_out_file,
        same_file=same_file,
        training_rows=len(training),
        left_out=left_out,
        held_out_rows=len(held_out),
        failures=len(failures),
        training_asked=len(asked),
        predictable=shares,
        compared=len(inputs.compared),
        inputs=len(inputs.all),
        issues=tuple(issues),
        draft=drafted,
        answers=tuple(one.counts for one in answers.values()),
    )


def _training_rows(context: Context, job: Job) -> tuple[list[Row], int]:
    """The rows that end with an answer, and how many others there are."""
    spec = job.spec
    if not spec.data.is_file():
        raise InputError(
            f"the training file of {job.id}, {spec.data}, is not there", hint="Put it back: it is compared row by row."
        )
    with given(spec.data, context.home, spec.map) as file:
        rows = [row for _line, row in read_rows(file, spec.format)]
    training = [row for row in rows if row is not None]
    if not training:
        raise DataError(
            f"{spec.data} has no chats that end with an answer", hint="Only these can be compared with each other."
        )
    return training, len(rows) - len(training)


def _held_out_rows(data: Data, format: str | None) -> list[Row]:  # noqa: A002 - the word users know
    report = check(data, format=format)
    if report.errors:
        errors = counted(report.errors, "error")
        named = [f"--format {format}"] if format else []
        raise DataError(f"{data} has {errors}", hint=f"{check_command(data, *named)} lists them, line by line.")
    rows = []
    for line, row in read_rows(data, format):
        if row is None:
            raise DataError(
                f"{data}, line {line}: this row has no answer to compare with",
                hint="Give chats whose last message is the assistant's: a text, or tool calls.",
                line=line,
            )
        rows.append(row)
    return rows


def _are_same(training: Sequence[Row], held_out: Sequence[Row]) -> bool:
    """Whether both files have the same rows in the same order."""
    return [row.chat for row in training] == [row.chat for row in held_out]


def _sample(rows: Sequence[Row], count: int) -> list[Row]:
    if count >= len(rows):
        return [*rows]
    chosen = random.Random(SEED).sample(range(len(rows)), count)  # noqa: S311 - a choice that can be repeated
    return [rows[index] for index in sorted(chosen)]


def _not_learned(context: Context, job: Job, training: Sequence[Row], answered: Answered | None) -> Iterator[Issue]:
    """Training rows that the model does not answer as it was trained to, or that training itself has named."""
    wrong = answered.answers if answered else {}
    losses = _losses(context, job)
    for row in training:
        failed = row.line in wrong and wrong[row.line] != row.answer
        if failed or (row.line not in wrong and row.number in losses):
            yield Issue(
                kind="not_learned",
                training=(row.line,),
                text=row.input,
                expected=row.answer,
                answer=wrong.get(row.line),
                loss=losses.get(row.number),
            )


def _losses(context: Context, job: Job) -> dict[int, float]:
    """The last loss of each row that training has named as not learned, by its number in the file: at local jobs."""
    told = [event.rows for _number, event in context.ledger.events(job.id) if event.rows]
    return {row["number"]: row["loss"] for row in told[-1].get("not_learned", ())} if told else {}
