"""Mistral's jobs, read as ftbridge's: bodies, statuses, events, estimates.

Source: Mistral's OpenAPI document as it was until 2026-07, `CompletionDetailedJobOut` and its parts.
Only what is used is read, so that an odd value elsewhere in a body spoils nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

from msgspec import Struct, field

from ftbridge.catalogue import Catalogue, read_room
from ftbridge.model import Event, Method, Result, Status
from ftbridge.provider import Listed, RemoteJob
from ftbridge.provider.hosted import read_hyperparameters, read_suffix

STATUS = {
    "QUEUED": Status.QUEUED,
    "VALIDATING": Status.VALIDATING,
    "VALIDATED": Status.VALIDATING,
    "STARTED": Status.RUNNING,
    "RUNNING": Status.RUNNING,
    "CANCELLATION_REQUESTED": Status.RUNNING,
    "SUCCESS": Status.SUCCEEDED,
    "FAILED_VALIDATION": Status.FAILED,
    "FAILED": Status.FAILED,
    "CANCELLED": Status.CANCELLED,
}
"""VALIDATED is still `validating`: the job waits for the start that creating it ends with."""
WORDS = {"warmup_ratio": "warmup_fraction", "max_seq_length": "seq_len"}
"""Mistral's names of our hyperparameters, where they differ."""
FIELDS = {
    "model": "model",
    "training_files": "data",
    "validation_files": "validation",
    "suffix": "name",
    "events": "events",
    "checkpoints": "events",
}
"""Our words for fields of a job."""

_PLACES = {"QUEUED": 0, "VALIDATING": 1, "VALIDATED": 2, "STARTED": 4, "RUNNING": 5, "CANCELLATION_REQUESTED": 8}
_QUEUED_AGAIN, _CHECKPOINT, _UNKNOWN, _END = 3, 6, 7, 9
"""The order of a job's life, for events of the same second: Mistral lists them in no certain order."""


class EventBody(Struct):
    """A change of status; times are seconds since 1970."""

    created_at: float
    name: str = ""
    data: dict[str, Any] | None = None

    @property
    def word(self) -> str:
        """The status it tells of."""
        return str((self.data or {}).get("status", ""))


class Figures(Struct):
    """Losses, in nats. `valid_mean_token_accuracy` is left out: it has been seen above 1 and so is no ratio."""

    train_loss: float | None = None
    valid_loss: float | None = None


class CheckpointBody(Struct):
    """The figures at a step. It has no id: a checkpoint cannot be called."""

    step_number: int
    created_at: float
    metrics: Figures


class Estimate(Struct):
    """What the run will cost, known once the files are validated; the least fee of a job is not in it.

    It stays as it is when the job is over: what was billed Mistral's API does not tell, except in tokens.
    """

    cost: float | None = None
    cost_currency: str | None = None
    train_tokens: int | None = None


class JobBody(Struct):
    """A job; `events` and `checkpoints` come only where one job is asked for."""

    id: str
    status: str
    created_at: float
    model: str = ""
    suffix: str | None = None
    auto_start: bool = False
    modified_at: float | None = None
    training_files: list[str] = field(default_factory=list)
    validation_files: list[str] | None = None
    fine_tuned_model: str | None = None
    trained_tokens: int | None = None
    metadata: Estimate | None = None
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    events: list[EventBody] = field(default_factory=list)
    checkpoints: list[CheckpointBody] = field(default_factory=list)


class Page(Struct):
    """One page of jobs."""

    data: list[JobBody]
    total: int


def read_job(job: JobBody) -> RemoteJob:
    """A job; a status that is not in the table is `unknown`, with its word kept."""
    status = STATUS.get(job.status, Status.UNKNOWN)
    estimate = job.metadata or Estimate()
    in_dollars = (estimate.cost_currency or "").upper() == "USD"
    named = estimate.cost if in_dollars else None
    return RemoteJob(
        remote_id=job.id,
        status=status,
        raw_status=job.status,
        error=_why(job) if status is Status.FAILED else None,
        result=Result(model=job.fine_tuned_model) if job.fine_tuned_model else None,
        trained_tokens=job.trained_tokens if status.final else None,
        estimate_tokens=estimate.train_tokens,
        estimate_usd=None if named is None else max(named, least_fee(job.model)),
    )


@cache
def least_fee(model: str) -> float:
    """What a job costs at least, in US dollars, by the rows of this room."""
    return Catalogue(read_room(__package__, "mistral")).entry("mistral", model).facts.minimum_usd_per_job or 0.0


def read_listed(job: JobBody) -> Listed:
    """A job of the listing, with what it tells of its request."""
    remote = read_job(job)
    name, tag = read_suffix(job.suffix)
    return Listed(
        remote=remote,
        tag=tag,
        model=job.model,
        method=Method.SFT,
        hyperparameters=read_hyperparameters(job.hyperparameters, WORDS),
        name=name,
        training_file=job.training_files[0] if job.training_files else "",
        validation_file=job.validation_files[0] if job.validation_files else None,
        created_at=datetime.fromtimestamp(job.created_at, UTC),
        finished_at=datetime.fromtimestamp(job.modified_at, UTC) if remote.status.final and job.modified_at else None,
    )


def awaits(job: JobBody) -> Literal["validation", "start", "nothing"]:
    """What has to happen before the job goes on by itself.

    A job is QUEUED twice, before its validation and after its start; only its events tell which.
    """
    words = [event.word for event in job.events]
    if job.auto_start or (job.status in STATUS and job.status not in ("QUEUED", "VALIDATING", "VALIDATED")):
        return "nothing"
    if job.status == "VALIDATED":
        return "start"
    if "VALIDATED" not in words or job.status == "VALIDATING":
        return "validation"
    gone = job.status == "QUEUED" or words.count("QUEUED") > 1 or "RUNNING" in words
    return "nothing" if gone else "start"


def read_events(job: JobBody, since: str) -> list[Event]:
    """What happened after the cursor `since`, oldest first; the cursors sort as the events do.

    A checkpoint is a metric. What precedes the start belongs to the submission and is a message.
    """
    found = dict([*_changes(job), *_metrics(job)])
    return [event for cursor, event in sorted(found.items()) if cursor > since]


def _changes(job: JobBody) -> Iterator[tuple[str, Event]]:
    queued = False
    for change in sorted(job.events, key=lambda event: event.created_at):
        place = _PLACES.get(change.word, _END if change.word in STATUS else _UNKNOWN)
        if change.word == "QUEUED":
            place, queued = _QUEUED_AGAIN if queued else place, True
        cursor = f"{int(change.created_at):010}-{place}-{change.word}"
        at = datetime.fromtimestamp(change.created_at, UTC)
        status = STATUS.get(change.word)
        if status is None or place < _QUEUED_AGAIN:
            said = change.word or change.name
            yield cursor, Event(at=at, kind="message", cursor=cursor, message=f"Mistral: {said}")
        else:
            yield cursor, Event(at=at, kind="status", cursor=cursor, status=status, message=change.word)


def _metrics(job: JobBody) -> Iterator[tuple[str, Event]]:
    for checkpoint in job.checkpoints:
        cursor = f"{int(checkpoint.created_at):010}-{_CHECKPOINT}-{checkpoint.step_number:08}"
        yield (
            cursor,
            Event(
                at=datetime.fromtimestamp(checkpoint.created_at, UTC),
                kind="metric",
                cursor=cursor,
                step=checkpoint.step_number,
                total_steps=job.hyperparameters.get("training_steps"),
                train_loss=checkpoint.metrics.train_loss,
                valid_loss=checkpoint.metrics.valid_loss,
            ),
        )


def _why(job: JobBody) -> str:
    """A sentence: jobs have no field for their error, but the last event may hold words of its own."""
    sentence = f"Mistral ended the job as {job.status}"
    last = [event for event in job.events if event.word == job.status][-1:]
    words = [str(said) for event in last for name, said in (event.data or {}).items() if name != "status" and said]
    return ": ".join([sentence, *words])
