"""Mistral's jobs, read as ftbridge's: bodies, statuses, events, estimates.

Source: Mistral's OpenAPI document as it was until 2026-07, `CompletionDetailedJobOut` and its parts.
Only fields that are used are read, so that an unexpected value elsewhere in a body does no harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Literal, TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct

from ftbridge.catalogue import Catalogue, read_room
from ftbridge.foreign.values import cost_of, text_of, texts_of, time_of
from ftbridge.model import Event, Method, Result, Status
from ftbridge.provider import Listed, RemoteJob
from ftbridge.provider.hosted import read_hyperparameters, read_suffix
from ftbridge.provider.unreadable import readable

T = TypeVar("T")

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

    created_at: Any
    name: Any = ""
    data: dict[str, Any] | None = None

    @property
    def status(self) -> str:
        """The new status."""
        return str((self.data or {}).get("status", ""))


class Metrics(Struct):
    """Losses, in nats. `valid_mean_token_accuracy` is not read: values above 1 have been observed."""

    train_loss: Any = None
    valid_loss: Any = None


class CheckpointBody(Struct):
    """The metrics at a step. It has no id: a checkpoint cannot be called."""

    step_number: int
    created_at: Any
    metrics: Metrics


class Estimate(Struct):
    """What the job will cost, known once the files are validated; the minimum charge is not part of it.

    It does not change when the job is over: of what was billed, Mistral's API has only the tokens.
    """

    cost: Any = None
    cost_currency: Any = None
    train_tokens: Any = None


class JobBody(Struct):
    """A job, whose fields may hold anything but its id.

    Only a single job has `events` and `checkpoints`, a listed one has not.
    """

    id: str
    status: Any
    created_at: Any
    model: Any = ""
    suffix: Any = None
    auto_start: Any = False
    modified_at: Any = None
    training_files: Any = None
    validation_files: Any = None
    fine_tuned_model: Any = None
    trained_tokens: Any = None
    metadata: Any = None
    hyperparameters: Any = None
    events: Any = None
    checkpoints: Any = None

    @property
    def changes(self) -> list[EventBody]:
        """The events that can be read."""
        return _parts(self.events, EventBody)


class Page(Struct):
    """One page of jobs: `JobBody` where it can be read as one, and else the JSON value itself."""

    data: list[Any]
    total: int


def read_page(page: Page) -> Page:
    """The page with every job that can be read; the others are left as they are."""
    return Page([next(iter(_parts([job], JobBody)), job) for job in page.data], page.total)


def as_job_body(item: Any) -> JobBody:
    """An item of a page, if it could be read as a job. Raises `TypeError` for others."""
    if not isinstance(item, JobBody):
        raise TypeError("it has no id, status or time")
    return item


def is_uuid(name: str) -> bool:
    """Whether it has the form of a job's id."""
    try:
        UUID(name)
    except ValueError:
        return False
    return True


def _parts(values: Any, into: type[T]) -> list[T]:
    return list(readable(values if isinstance(values, list) else [], lambda value: msgspec.convert(value, into)))


def read_job(job: JobBody) -> RemoteJob:
    """A job; a status that is not in the table is `unknown`, and the vendor's word is kept."""
    status = STATUS.get(str(job.status), Status.UNKNOWN)
    estimate = next(iter(_parts([job.metadata], Estimate)), Estimate())
    cost_usd = cost_of(estimate.cost) if str(estimate.cost_currency).upper() == "USD" else None
    return RemoteJob(
        remote_id=job.id,
        status=status,
        raw_status=str(job.status),
        error=_failure(job) if status is Status.FAILED else None,
        result=Result(model=job.fine_tuned_model) if job.fine_tuned_model else None,
        trained_tokens=job.trained_tokens if status.final else None,
        estimate_tokens=estimate.train_tokens,
        estimate_usd=None if cost_usd is None else max(cost_usd, minimum_charge(str(job.model))),
    )


@cache
def minimum_charge(model: str) -> float:
    """What a job costs at least, in US dollars, by Mistral's catalogue."""
    return Catalogue(read_room(__package__, "mistral")).entry("mistral", model).facts.minimum_usd_per_job or 0.0


def read_listed(job: JobBody) -> Listed:
    """A job of the listing, with the parts of its request."""
    remote = read_job(job)
    name, tag = read_suffix(job.suffix)
    training, validation = texts_of(job.training_files), texts_of(job.validation_files)
    settings = job.hyperparameters if isinstance(job.hyperparameters, dict) else {}
    return Listed(
        remote=remote,
        tag=tag,
        model=text_of(job.model) or "",
        method=Method.SFT,
        hyperparameters=read_hyperparameters(settings, HYPERPARAMETER_NAMES),
        name=name,
        training_file=training[0] if training else "",
        validation_file=validation[0] if validation else None,
        created_at=job.created_at,
        finished_at=job.modified_at if remote.status.final else None,
    )


def awaits(job: JobBody) -> Literal["validation", "start", "nothing"]:
    """What the job waits for.

    A job is QUEUED twice, before its validation and after its start; only its events show which.
    """
    statuses, status = [event.status for event in job.changes], str(job.status)
    if job.auto_start is True or (status in STATUS and status not in ("QUEUED", "VALIDATING", "VALIDATED")):
        return "nothing"
    if status == "VALIDATED":
        return "start"
    if "VALIDATED" not in statuses or status == "VALIDATING":
        return "validation"
    is_started = status == "QUEUED" or statuses.count("QUEUED") > 1 or "RUNNING" in statuses
    return "nothing" if is_started else "start"


def read_events(job: JobBody, since: str) -> list[Event]:
    """What happened after the cursor `since`, oldest first; cursors sort like their events.

    A checkpoint is a metric. What happens before the start is part of the submission, and is a message.
    """
    by_cursor = dict([*_changes(job), *_metrics(job)])
    return [event for cursor, event in sorted(by_cursor.items()) if cursor > since]


def _changes(job: JobBody) -> Iterator[tuple[str, Event]]:
    queued = False
    for change in sorted(job.changes, key=lambda change: _second(change.created_at)):
        rank = _RANKS.get(change.status, _END if change.status in STATUS else _UNKNOWN)
        if change.status == "QUEUED":
            rank, queued = _QUEUED_AGAIN if queued else rank, True
        cursor = f"{_second(change.created_at):010}-{rank}-{change.status}"
        status = STATUS.get(change.status)
        if status is None or rank < _QUEUED_AGAIN:
            text = change.status or change.name
            yield cursor, Event(at=change.created_at, kind="message", cursor=cursor, message=f"Mistral: {text}")
        else:
            yield (
                cursor,
                Event(at=change.created_at, kind="status", cursor=cursor, status=status, message=change.status),
            )


def _metrics(job: JobBody) -> Iterator[tuple[str, Event]]:
    settings = job.hyperparameters if isinstance(job.hyperparameters, dict) else {}
    for checkpoint in _parts(job.checkpoints, CheckpointBody):
        cursor = f"{_second(checkpoint.created_at):010}-{_CHECKPOINT}-{checkpoint.step_number:08}"
        yield (
            cursor,
            Event(
                at=checkpoint.created_at,
                kind="metric",
                cursor=cursor,
                step=checkpoint.step_number,
                total_steps=settings.get("training_steps"),
                train_loss=checkpoint.metrics.train_loss,
                valid_loss=checkpoint.metrics.valid_loss,
            ),
        )


def _second(at: Any) -> int:
    """A time as the beginning of a cursor; one that is not a time comes first."""
    time = time_of(at)
    return int(time.timestamp()) if time else 0


def _failure(job: JobBody) -> str:
    """Why the job failed: jobs have no field for it, but their last event may have the reason."""
    sentence = f"Mistral ended the job as {job.status}"
    last = [event for event in job.changes if event.status == job.status][-1:]
    reasons = [str(text) for event in last for name, text in (event.data or {}).items() if name != "status" and text]
    return ": ".join([sentence, *reasons])
