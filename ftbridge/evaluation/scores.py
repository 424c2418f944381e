"""How good a model is on rows it has not seen: exact answers, and loss where the provider gives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ftbridge.context import Context
from ftbridge.dataset import check, read_examples
from ftbridge.dataset.canonical.example import Assistant, Chat
from ftbridge.dataset.data_file import Data
from ftbridge.dataset.reading.given import Given, given
from ftbridge.errors import DataError
from ftbridge.evaluation.paired import Paired, paired
from ftbridge.jobs.listing import succeeded
from ftbridge.jobs.results import tuned_model
from ftbridge.model import Frozen, Job
from ftbridge.provider import Provider
from ftbridge.target import parse_target
from ftbridge.wording import counted


class Score(Frozen):
    """`exact_match` is the share of answers equal to the expected ones, `loss` the mean per trained token in nats."""

    exact_match: float
    loss: float | None = None


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
) -> Evaluation:
    """Score the tuned model on held-out chats, and its base beside it with `baseline`.

    `data` and `map` are as those of `Bridge.check`. With `against`, another job, on the same rows, and whether this one
    is as good: not worse by more than `margin`, a share of exact answers.

    Raises `DataError` for a file with anything else, and `JobFailed` for a job without a model.
    """
    tuned_job = succeeded(context, job).job
    other = succeeded(context, against).job if against else None
    with given(data, context.home, map, often=True) as read:
        return _evaluate(context, tuned_job, read, baseline=baseline, against=other, margin=margin)


def _evaluate(
    context: Context, job: Job, data: Data, *, baseline: bool, against: Job | None, margin: float
) -> Evaluation:
    report = check(data)
    if report.errors:
        errors = counted(report.errors, "error")
        raise DataError(f"{data} has {errors}", hint=f"`ftbridge check {data}` lists them, line by line.")
    target, chats = parse_target(job.target), held_out_chats(data)
    provider, tuned = context.provider(target), tuned_model(job)
    correct = exact(provider, tuned, chats)
    result = Evaluation(
        job=job.id,
        rows=len(chats),
        tuned=score(provider, tuned, chats, correct),
        baseline=score(provider, target.model, chats) if baseline else None,
    )
    if against is None:
        return result
    rival, theirs = context.provider(parse_target(against.target)), tuned_model(against)
    before = exact(rival, theirs, chats)
    scored = {
        "rival": against.id,
        "against": score(rival, theirs, chats, before),
        "paired": paired(before, correct, margin=margin),
    }
    return result.model_copy(update=scored)


def held_out_chats(data: Data) -> list[Chat]:
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
    """Which of the model's replies equal the expected answer, apart from white space around them."""
    questions = (Chat(messages=chat.messages[:-1], tools=chat.tools) for chat in chats)
    replies = provider.replies(model, questions)
    return [reply.text.strip() == _expected(chat) for chat, reply in zip(chats, replies, strict=True)]


def score(provider: Provider, model: str, chats: Sequence[Chat], correct: Sequence[bool] | None = None) -> Score:
    """The model's score; `correct` says which answers are exact, if that is known already."""
    correct = exact(provider, model, chats) if correct is None else correct
    loss = provider.loss(model, chats) if "loss" in provider.capabilities.verbs else None
    return Score(exact_match=sum(correct) / len(chats), loss=loss)


def _expected(chat: Chat) -> str:
    last = chat.messages[-1]
    return last.content.strip() if isinstance(last, Assistant) and isinstance(last.content, str) else ""
