"""Mistral's jobs, read as ftbridge's: bodies, statuses, events, estimates.

Source: Mistral's OpenAPI document as it was until 2026-07, `CompletionDetailedJobOut` and its parts.
Only fields that are used are read, so that an unexpected value elsewhere in a body does no harm.
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
"""VALIDATED is still `validating`: the job waits for its start."""
HYPERPARAMETER_NAMES = {"warmup_ratio": "warmup_fraction", "max_seq_length": "seq_len"}
"""Mistral's names of ftbridge's hyperparameters, where they differ."""
JOB_FIELDS = {
    "model": "model",
    "training_files": "data",
    "validation_files": "validation",
    "suffix": "name",
    "events": "events",
    "checkpoints": "events",
}
"""ftbridge's names of the fields of a job."""

_RANKS = {"QUEUED": 0, "VALIDATING": 1, "VALIDATED": 2, "STARTED": 4, "RUNNING": 5, "CANCELLATION_REQUESTED": 8}
_QUEUED_AGAIN, _CHECKPOINT, _UNKNOWN, _END = 3, 6, 7, 9
"""The order of events of the same second: Mistral lists them in no certain order."""


class EventBody(Struct):
    """A change of status; times are seconds since 1970."""

    created_at: float
    name: str = ""
    data: dict[str, Any] | None = None

    @property
    def status(self) -> str:
        """The new status."""
        return str((self.data or {}).get("status", ""))


class Metrics(Struct):
    """Losses, in nats. `valid_mean_token_accuracy` is not read: values above 1 have been observed."""

    train_loss: float | None = None
    valid_loss: float | None = None


class CheckpointBody(Struct):
    """The metrics at a step. It has no id: a checkpoint cannot be called."""

    step_number: int
    created_at: float
    metrics: Metrics


class Estimate(Struct):
    """What the job will cost, known once the files are validated; the minimum charge is not part of it.

    It does not change when the job is over: of what was billed, Mistral's API has only the tokens.
    """

    cost: float | None = None
    cost_currency: str | None = None
    train_tokens: int | None = None


class JobBody(Struct):
    """A job; only a single job has `events` and `checkpoints`, a listed one has not."""

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
    """A job; a status that is not in the table is `unknown`, and the vendor's word is kept."""
    status = STATUS.get(job.status, Status.UNKNOWN)
    estimate = job.metadata or Estimate()
    cost_usd = estimate.cost if (estimate.cost_currency or "").upper() == "USD" else None
    return RemoteJob(
        remote_id=job.id,
        status=status,
        raw_status=job.status,
        error=_failure(job) if status is Status.FAILED else None,
        result=Result(model=job.fine_tuned_model) if job.fine_tuned_model else None,
        trained_tokens=job.trained_tokens if status.final else None,
        estimate_tokens=estimate.train_tokens,
        estimate_usd=None if cost_usd is None else max(cost_usd, minimum_charge(job.model)),
    )


@cache
def minimum_charge(model: str) -> float:
    """What a job costs at least, in US dollars, by Mistral's catalogue."""
    return Catalogue(read_room(__package__, "mistral")).entry("mistral", model).facts.minimum_usd_per_job or 0.0


def read_listed(job: JobBody) -> Listed:
    """A job of the listing, with the parts of its request."""
    remote = read_job(job)
    name, tag = read_suffix(job.suffix)
    return Listed(
        remote=remote,
        tag=tag,
        model=job.model,
        method=Method.SFT,
        hyperparameters=read_hyperparameters(job.hyperparameters, HYPERPARAMETER_NAMES),
        name=name,
        training_file=job.training_files[0] if job.training_files else "",
        validation_file=job.validation_files[0] if job.validation_files else None,
        created_at=datetime.fromtimestamp(job.created_at, UTC),
        finished_at=datetime.fromtimestamp(job.modified_at, UTC) if remote.status.final and job.modified_at else None,
    )


def awaits(job: JobBody) -> Literal["validation", "start", "nothing"]:
    """What the job waits for.

    A job is QUEUED twice, before its validation and after its start; only its events show which.
    """
    statuses = [event.status for event in job.events]
    if job.auto_start or (job.status in STATUS and job.status not in ("QUEUED", "VALIDATING", "VALIDATED")):
        return "nothing"
    if job.status == "VALIDATED":
        return "start"
    if "VALIDATED" not in statuses or job.status == "VALIDATING":
        return "validation"
    is_started = job.status == "QUEUED" or statuses.count("QUEUED") > 1 or "RUNNING" in statuses
    return "nothing" if is_started else "start"


def read_events(job: JobBody, since: str) -> list[Event]:
    """What happened after the cursor `since`, oldest first; cursors sort like their events.

    A checkpoint is a metric. What happens before the start is part of the submission, and is a message.
    """
    by_cursor = dict([*_changes(job), *_metrics(job)])
    return [event for cursor, event in sorted(by_cursor.items()) if cursor > since]


def _changes(job: JobBody) -> Iterator[tuple[str, Event]]:
    queued = False
    for change in sorted(job.events, key=lambda event: event.created_at):
        rank = _RANKS.get(change.status, _END if change.status in STATUS else _UNKNOWN)
        if change.status == "QUEUED":
            rank, queued = _QUEUED_AGAIN if queued else rank, True
        cursor = f"{int(change.created_at):010}-{rank}-{change.status}"
        at = datetime.fromtimestamp(change.created_at, UTC)
        status = STATUS.get(change.status)
        if status is None or rank < _QUEUED_AGAIN:
            text = change.status or change.name
            yield cursor, Event(at=at, kind="message", cursor=cursor, message=f"Mistral: {text}")
        else:
            yield cursor, Event(at=at, kind="status", cursor=cursor, status=status, message=change.status)


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


def _failure(job: JobBody) -> str:
    """Why the job failed: jobs have no field for it, but their last event may have the reason."""
    sentence = f"Mistral ended the job as {job.status}"
    last = [event for event in job.events if event.status == job.status][-1:]
    reasons = [str(text) for event in last for name, text in (event.data or {}).items() if name != "status" and text]
    return ": ".join([sentence, *reasons])
