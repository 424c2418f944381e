"""How good a model is on rows it has not seen: exact answers, and loss where the provider gives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from pydantic import Field

from ftbridge.context import Context
from ftbridge.dataset import check, read_examples
from ftbridge.dataset.canonical.example import Assistant, Chat
from ftbridge.dataset.data_file import Data
from ftbridge.dataset.reading.given import Given, check_command, given
from ftbridge.errors import DataError
from ftbridge.evaluation.paired import Paired, paired
from ftbridge.files import replacing
from ftbridge.jobs.listing import succeeded
from ftbridge.jobs.results import tuned_model
from ftbridge.model import Frozen, Job, RowLoss
from ftbridge.provider import Provider
from ftbridge.target import parse_target
from ftbridge.wording import counted


class Score(Frozen):
    """`exact_match` is the share of answers equal to the expected ones, `loss` the mean per trained token in nats."""

    exact_match: float
    loss: float | None = None


class RowScore(Frozen):
    """One row of an evaluation: the messages before the answer, the answer, and whether it is the expected one.

    White space around them does not count. `loss` is the mean of the row's `tokens` trained tokens, in nats, where the
    provider gives it.
    """

    line: int
    question: list[dict[str, Any]]
    expected: str
    answer: str
    correct: bool
    loss: float | None = None
    tokens: int = Field(0, exclude=True)


class Evaluation(Frozen):
    """The score of a job's tuned model and, on request, of its base model and of another job, `rival`."""

    job: str
    rival: str | None = None
    rows: int
    tuned: Score
    baseline: Score | None = None
    against: Score | None = None
    paired: Paired | None = None


def evaluate(
    context: Context,
    job: Job | str,
    data: Given,
    *,
    baseline: bool = False,
    against: Job | str | None = None,
    margin: float = 0.05,
    map: Mapping[str, str] | None = None,  # noqa: A002 - the word users know
    rows: Path | None = None,
) -> Evaluation:
    """Score the tuned model on held-out chats, and its base beside it with `baseline`.

    `data` and `map` are as those of `Bridge.check`. With `against`, another job, on the same rows, and whether this one
    is as good: not worse by more than `margin`, a share of exact answers. The file `rows` gets a JSON line for each row
    with the tuned model's answer, as `RowScore` has it.

    Raises `DataError` for a file with anything else, and `JobFailed` for a job without a model.
    """
    tuned_job = succeeded(context, job).job
    other = succeeded(context, against).job if against else None
    with given(data, context.home, map, often=True) as read:
        return _evaluate(context, tuned_job, read, baseline=baseline, against=other, margin=margin, rows=rows)


def _evaluate(
    context: Context, job: Job, data: Data, *, baseline: bool, against: Job | None, margin: float, rows: Path | None
) -> Evaluation:
    report = check(data)
    if report.errors:
        errors = counted(report.errors, "error")
        raise DataError(f"{data} has {errors}", hint=f"{check_command(data)} lists them, line by line.")
    target, chats = parse_target(job.target), held_out_chats(data)
    provider = context.provider(target)
    scored = score_rows(provider, tuned_model(job), chats)
    if rows is not None:
        write_rows(scored, rows)
    result = Evaluation(
        job=job.id,
        rows=len(chats),
        tuned=score(scored),
        baseline=score(score_rows(provider, target.model, chats)) if baseline else None,
    )
    if against is None:
        return result
    theirs = score_rows(context.provider(parse_target(against.target)), tuned_model(against), chats)
    before, after = ([row.correct for row in those] for those in (theirs, scored))
    compared = {"rival": against.id, "against": score(theirs), "paired": paired(before, after, margin=margin)}
    return result.model_copy(update=compared)


def held_out_chats(data: Data) -> dict[int, Chat]:
    """The chats of a file by their lines, each ending with the answer that is expected."""
    chats = {}
    for line, example in read_examples(data):
        if not isinstance(example, Chat) or not _expected(example):
            raise DataError(
                f"{data}, line {line}: this row has no text answer to compare with",
                hint="Evaluate on chats whose last message is the assistant's, in text.",
                line=line,
            )
        chats[line] = example
    return chats


def score_rows(provider: Provider, model: str, chats: Mapping[int, Chat]) -> list[RowScore]:
    """What the model answers to each chat, and its loss on the expected answer where the provider gives it."""
    questions = (Chat(messages=chat.messages[:-1], tools=chat.tools) for chat in chats.values())
    answers = [reply.text for reply in provider.replies(model, questions)]
    gives_loss = "losses" in provider.capabilities.verbs
    losses = provider.losses(model, [*chats.values()]) if gives_loss else [RowLoss()] * len(chats)
    return [
        RowScore(
            line=line,
            question=[msgspec.to_builtins(message) for message in chat.messages[:-1]],
            expected=_expected(chat),
            answer=answer,
            correct=answer.strip() == _expected(chat),
            loss=of.loss if of.tokens else None,
            tokens=of.tokens,
        )
        for (line, chat), answer, of in zip(chats.items(), answers, losses, strict=True)
    ]


def score(rows: Sequence[RowScore]) -> Score:
    """The score of a model by its rows."""
    tokens = sum(row.tokens for row in rows)
    loss = sum((row.loss or 0.0) * row.tokens for row in rows) / tokens if tokens else None
    return Score(exact_match=sum(row.correct for row in rows) / len(rows), loss=loss)


def write_rows(rows: Sequence[RowScore], file: Path) -> None:
    """Write them as JSON Lines, completely or not at all; the file is its owner's alone, as it holds data."""
    with replacing(file) as temporary, temporary.open("w", encoding="utf-8") as lines:
        lines.writelines(row.model_dump_json() + "\n" for row in rows)


def _expected(chat: Chat) -> str:
    last = chat.messages[-1]
    return last.content.strip() if isinstance(last, Assistant) and isinstance(last.content, str) else ""
