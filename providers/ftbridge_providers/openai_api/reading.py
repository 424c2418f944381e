"""The protocol's objects, read as ftbridge's: statuses, jobs, events, checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from ftbridge.foreign.values import clean, text_of, times_of
from ftbridge.model import Checkpoint, Event, Method, Result, Status
from ftbridge.provider import Listed, RemoteJob
from ftbridge.provider.hosted import read_hyperparameters, read_suffix
from ftbridge.provider.unreadable import UNREADABLE, decode_json, readable
from ftbridge_providers.openai_api.client import unexpected_answer

STATUS = {
    "validating_files": Status.VALIDATING,
    "queued": Status.QUEUED,
    "running": Status.RUNNING,
    "paused": Status.PAUSED,
    "succeeded": Status.SUCCEEDED,
    "failed": Status.FAILED,
    "cancelled": Status.CANCELLED,
}
"""The document's enum, and `paused`, which only its example has (OpenAPI document, 2026-08)."""

HYPERPARAMETER_NAMES = {"epochs": "n_epochs"}
"""OpenAI's names of ftbridge's hyperparameters, where they differ."""
JOB_FIELDS = {
    "model": "model",
    "training_file": "data",
    "validation_file": "validation",
    "method.type": "method",
    "method.reinforcement.grader": "grader",
    "method.reinforcement.response_format": "response_format",
    "user_provided_suffix": "name",
}
"""ftbridge's names of the fields of a `FineTuningJob`."""
HYPERPARAMETER_OBJECTS = (
    "hyperparameters",
    *(f"method.{kind}.hyperparameters" for kind in ("supervised", "dpo", "reinforcement")),
)
"""The objects of a `FineTuningJob` that hold hyperparameters; `seed` is a field of the job itself."""
_METHODS = {"supervised": Method.SFT, "dpo": Method.DPO, "reinforcement": Method.RFT}


class ShortJob(Struct, gc=False):
    """The fields of a `FineTuningJob` that `read_job` reads, whatever they hold."""

    id: str
    status: Any
    fine_tuned_model: Any = None
    result_files: Any = None
    error: Any = None
    trained_tokens: Any = None


class ShortPage(Struct):
    """A page of the listing, reduced to what a watcher needs."""

    data: list[ShortJob]
    has_more: bool = False


class _PageOfAnything(Struct):
    data: list[Any]
    has_more: bool = False


_SHORT_PAGE = msgspec.json.Decoder(ShortPage)


def read_short_page(provider: str, content: bytes) -> ShortPage:
    """The page in these bytes; what is no job in it is left out. Raises `BadAnswer` where they are not one."""
    try:
        return _SHORT_PAGE.decode(content)
    except (*UNREADABLE, msgspec.DecodeError):
        pass
    try:
        page: _PageOfAnything = decode_json(content, _PageOfAnything)
    except UNREADABLE:
        raise unexpected_answer(provider) from None
    jobs = readable(page.data, lambda job: msgspec.convert(job, ShortJob))
    return ShortPage(list(jobs), page.has_more)


def read_job(job: Any, statuses: dict[str, Status]) -> RemoteJob:
    """A `FineTuningJob`; a status that is not in `statuses` is `unknown`, and the vendor's word is kept.

    `trained_tokens` are the billed ones, null while the job runs (OpenAPI document, 2026-08). A service with the
    same API that counts them earlier is read only once the job is over.
    """
    result = None
    if job.fine_tuned_model:
        result = Result(model=job.fine_tuned_model, files=job.result_files or ())
    raw_status = str(job.status)
    status = statuses.get(raw_status, Status.UNKNOWN)
    return RemoteJob(
        remote_id=job.id,
        status=status,
        raw_status=raw_status,
        error=_reason(job.error),
        result=result,
        trained_tokens=job.trained_tokens if status.final else None,
    )


def _reason(error: Any) -> str | None:
    """Why a job failed: the message of an object, of the SDK's or of JSON, or a bare text."""
    message = error.get("message") if isinstance(error, dict) else getattr(error, "message", error)
    return message or None


def read_listed(job: Any, remote: RemoteJob, tag: str | None) -> Listed:
    """A `FineTuningJob` with the parts of its request; OpenAI's has its suffix only in the id of the finished model."""
    kind = str(job.method.type) if job.method else "supervised"
    detail = getattr(job.method, kind, None) if job.method else None
    hyperparameters = (detail.hyperparameters if detail else None) or job.hyperparameters
    values = hyperparameters.model_dump() if hyperparameters else {}
    name, in_suffix = read_suffix(_suffix(job))
    return Listed(
        remote=remote,
        tag=tag or in_suffix,
        model=job.model or "",
        method=_METHODS.get(kind),
        grader=_sent_fields(getattr(detail, "grader", None)),
        response_format=_sent_fields(getattr(detail, "response_format", None)),
        hyperparameters=read_hyperparameters({**values, "seed": job.seed}, HYPERPARAMETER_NAMES),
        name=name,
        training_file=job.training_file or "",
        validation_file=job.validation_file,
        created_at=job.created_at,
        finished_at=job.finished_at,
    )


def _sent_fields(part: Any) -> dict[str, Any] | None:
    """What the vendor sent, under its own names, without the defaults that the SDK fills in."""
    if part is None or isinstance(part, dict):
        return part
    sent: dict[str, Any] = part.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return sent


def tag_of_suffix(job: Any) -> str | None:
    """ftbridge's tag in a job's suffix."""
    return read_suffix(_suffix(job))[1]


def _suffix(job: Any) -> str | None:
    """The job's own field, which Azure and Nebius have, or the part of ft:base:organisation:suffix:id."""
    parts = str(job.fine_tuned_model or "").split(":")
    field = getattr(job, "user_provided_suffix", None) or getattr(job, "suffix", None)
    return field or (parts[3] if len(parts) >= 5 else None)


def cursor_of(event: Any) -> str:
    """The id of an event, or where the vendor gives none, what it says."""
    return text_of(event.id) or clean(f"{event.created_at} {event.message}"[:200])


def read_events(events: Sequence[Any]) -> list[Event]:
    """Events, oldest first; what is no event is left out."""
    timed = zip(events, times_of(getattr(event, "created_at", None) for event in events), strict=True)
    return list(readable(timed, lambda event: _read_event(*event)))


def _read_event(event: Any, at: Any) -> Event:
    """A `FineTuningJobEvent`: a metric where it has a step, else a message."""
    data = event.data if isinstance(event.data, dict) else {}
    cursor = cursor_of(event)
    if event.type != "metrics" or "step" not in data:
        return Event(at=at, kind="message", cursor=cursor, message=event.message)
    return Event(at=at, kind="metric", cursor=cursor, total_steps=data.get("total_steps"), **read_metrics(data))


def read_checkpoint(checkpoint: Any) -> Checkpoint:
    """A `FineTuningJobCheckpoint`."""
    metrics = checkpoint.metrics.model_dump() if checkpoint.metrics else {}
    values = read_metrics({**metrics, "step": checkpoint.step_number})
    return Checkpoint(
        model=checkpoint.fine_tuned_model_checkpoint,
        at=checkpoint.created_at,
        step=values["step"],
        train_loss=values["train_loss"],
        valid_loss=values["valid_loss"],
        valid_reward=values["valid_reward"],
    )


def read_metrics(data: dict[str, Any]) -> dict[str, Any]:
    """Step, losses, rewards and accuracy of a metric or a checkpoint; the loss over the whole validation file wins."""
    whole = data.get("full_valid_loss")
    return {
        "step": data["step"],
        "train_loss": data.get("train_loss"),
        "valid_loss": whole if whole is not None else data.get("valid_loss"),
        "train_reward": data.get("train_mean_reward"),
        "valid_reward": data.get("full_valid_mean_reward"),
        "token_accuracy": data.get("train_mean_token_accuracy"),
    }
