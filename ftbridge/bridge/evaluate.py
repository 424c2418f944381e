"""How good a model is on rows it has not seen: exact answers, and loss where the provider gives it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ftbridge.bridge.paired import Paired, paired
from ftbridge.bridge.workplace import Workplace
from ftbridge.catalogue import counted
from ftbridge.dataset import check, read_examples
from ftbridge.dataset.example import Assistant, Chat
from ftbridge.errors import DataError, JobFailed
from ftbridge.model import Frozen, Job
from ftbridge.provider import Provider
from ftbridge.target import parse_target


class Score(Frozen):
    """`exact_match` is the share of answers equal to the expected ones, `loss` the mean per trained token in nats."""

    exact_match: float
    loss: float | None = None


class Evaluation(Frozen):
    """The score of a job's tuned model, and beside it the base's, or that of the job `rival`, where asked for."""

    job: str
    rival: str | None = None
    rows: int
    tuned: Score
    baseline: Score | None = None
    against: Score | None = None
    paired: Paired | None = None


def evaluate(
    place: Workplace, job: Job, data: Path, *, baseline: bool, against: Job | None, margin: float
) -> Evaluation:
    """Score what a job has made on held-out chats, beside its base or what another job has made.

    Raises `DataError` for a file that holds anything else, and `JobFailed` for a job without a model.
    """
    report = check(data)
    if report.errors:
        errors = counted(report.errors, "error")
        raise DataError(f"{data} has {errors}", hint=f"`ftbridge check {data}` lists them, line by line.")
    target, chats = parse_target(job.target), held_out_chats(data)
    provider, tuned = place.provider(target), tuned_model(job)
    right = exact(provider, tuned, chats)
    found = Evaluation(
        job=job.id,
        rows=len(chats),
        tuned=score(provider, tuned, chats, right),
        baseline=score(provider, target.model, chats) if baseline else None,
    )
    if against is None:
        return found
    rival, theirs = place.provider(parse_target(against.target)), tuned_model(against)
    before = exact(rival, theirs, chats)
    scored = {
        "rival": against.id,
        "against": score(rival, theirs, chats, before),
        "paired": paired(before, right, margin=margin),
    }
    return found.model_copy(update=scored)


def tuned_model(job: Job) -> str:
    """The id of the model that the job made. Raises `JobFailed` where it made none."""
    if job.result is None or job.result.model is None:
        raise JobFailed(f"job {job.id} gave no model that can be called", hint="Fetch its files instead.")
    return job.result.model


def held_out_chats(data: Path) -> list[Chat]:
    """The chats of a file, each ending with the answer that is expected."""
    chats = []
    for line, example in read_examples(data):
        if not isinstance(example, Chat) or not _expected(example):
            raise DataError(
                f"{data}, line {line}: this row has no text answer to compare with",
                hint="Evaluate on chats whose last message is the assistant's, in text.",
                line=line,
            )
        chats.append(example)
    return chats


def exact(provider: Provider, model: str, chats: Sequence[Chat]) -> list[bool]:
    """Ask `model` every question: which replies are as expected; white space around them does not count."""
    questions = (Chat(messages=chat.messages[:-1], tools=chat.tools) for chat in chats)
    replies = provider.replies(model, questions)
    return [reply.text.strip() == _expected(chat) for chat, reply in zip(chats, replies, strict=True)]


def score(provider: Provider, model: str, chats: Sequence[Chat], right: Sequence[bool] | None = None) -> Score:
    """The model's score; `right` are its exact answers, where they are known already."""
    right = exact(provider, model, chats) if right is None else right
    loss = provider.loss(model, chats) if "loss" in provider.capabilities.verbs else None
    return Score(exact_match=sum(right) / len(chats), loss=loss)


def _expected(chat: Chat) -> str:
    last = chat.messages[-1]
    return last.content.strip() if isinstance(last, Assistant) and isinstance(last.content, str) else ""
