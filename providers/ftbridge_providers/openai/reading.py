"""OpenAI's objects, read as ftbridge's: statuses, jobs, events, checkpoints, result files."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from msgspec import Struct

from ftbridge.catalogue import Row
from ftbridge.model import Checkpoint, Event, Method, Result, Status
from ftbridge.provider import Listed, RemoteJob, TunedModel
from ftbridge.provider.hosted import read_hyperparameters, read_suffix
from ftbridge_providers.openai.client import not_understood

STATUS = {
    "validating_files": Status.VALIDATING,
    "queued": Status.QUEUED,
    "running": Status.RUNNING,
    "paused": Status.PAUSED,
    "succeeded": Status.SUCCEEDED,
    "failed": Status.FAILED,
    "cancelled": Status.CANCELLED,
}
"""The document's enum, and `paused`, which stands only in its example (OpenAPI document, 2026-08)."""

WORDS = {"epochs": "n_epochs"}
"""OpenAI's names of our hyperparameters, where they differ."""
FIELDS = {
    "model": "model",
    "training_file": "data",
    "validation_file": "validation",
    "method.type": "method",
    "method.reinforcement.grader": "grader",
    "method.reinforcement.response_format": "response_format",
    "user_provided_suffix": "name",
}
"""Our words for fields of a `FineTuningJob`."""
SETTINGS = ("hyperparameters", *(f"method.{kind}.hyperparameters" for kind in ("supervised", "dpo", "reinforcement")))
"""Where hyperparameters stand in it, besides `seed`."""
_METHODS = {"supervised": Method.SFT, "dpo": Method.DPO, "reinforcement": Method.RFT}


class ShortError(Struct, gc=False):
    """What went wrong, in a `ShortJob`."""

    message: str | None = None


class ShortJob(Struct, gc=False):
    """As much of a `FineTuningJob` as `read_job` reads."""

    id: str
    status: str
    fine_tuned_model: str | None = None
    result_files: list[str] | None = None
    error: ShortError | None = None
    trained_tokens: int | None = None


class ShortPage(Struct):
    """A page of the listing, cut down to what a watcher needs."""

    data: list[ShortJob]
    has_more: bool = False


_SHORT_PAGE = msgspec.json.Decoder(ShortPage)


def read_short_page(provider: str, content: bytes) -> ShortPage:
    """The page in these bytes. Raises `BadAnswer` if there is none."""
    try:
        return _SHORT_PAGE.decode(content)
    except (msgspec.DecodeError, RecursionError):
        raise not_understood(provider) from None


def read_job(job: Any, statuses: dict[str, Status]) -> RemoteJob:
    """A `FineTuningJob`; a status that is not in the table is `unknown`, with its word kept.

    `trained_tokens` are those billed, null while the job runs (OpenAPI document, 2026-08); a service that speaks
    the same API and counts them on the way is not believed before the end.
    """
    error = job.error.message if job.error and job.error.message else None
    result = None
    if job.fine_tuned_model:
        result = Result(model=job.fine_tuned_model, files=tuple(job.result_files or ()))
    status = statuses.get(job.status, Status.UNKNOWN)
    return RemoteJob(
        remote_id=job.id,
        status=status,
        raw_status=str(job.status),
        error=error,
        result=result,
        trained_tokens=job.trained_tokens if status.final else None,
    )


def read_listed(job: Any, remote: RemoteJob, tag: str | None) -> Listed:
    """A `FineTuningJob`, with what it tells of its request; the suffix is known once there is a model's id."""
    kind = job.method.type if job.method else "supervised"
    detail = getattr(job.method, kind, None) if job.method else None
    settings = (detail.hyperparameters if detail else None) or job.hyperparameters
    name, in_suffix = read_suffix(_suffix(job))
    return Listed(
        remote=remote,
        tag=tag or in_suffix,
        model=job.model,
        method=_METHODS.get(kind),
        grader=_object(getattr(detail, "grader", None)),
        response_format=_object(getattr(detail, "response_format", None)),
        hyperparameters=read_hyperparameters({**(settings.model_dump() if settings else {}), "seed": job.seed}, WORDS),
        name=name,
        training_file=job.training_file,
        validation_file=job.validation_file,
        created_at=datetime.fromtimestamp(job.created_at, UTC),
        finished_at=datetime.fromtimestamp(job.finished_at, UTC) if job.finished_at else None,
    )


def _object(part: Any) -> dict[str, Any] | None:
    """What the vendor has sent, under its own names, and nothing that the SDK fills in."""
    if part is None or isinstance(part, dict):
        return part
    sent: dict[str, Any] = part.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return sent


def tag_of_suffix(job: Any) -> str | None:
    """ftbridge's tag in a job's suffix."""
    return read_suffix(_suffix(job))[1]


def _suffix(job: Any) -> str | None:
    """The job's own word for it, where it has one, or else that of ft:base:organisation:suffix:id."""
    parts = (job.fine_tuned_model or "").split(":")
    told = getattr(job, "user_provided_suffix", None) or getattr(job, "suffix", None)
    return told or (parts[3] if len(parts) >= 5 else None)


def read_event(event: Any) -> Event:
    """A `FineTuningJobEvent`: metrics where it carries figures, else a message."""
    at = datetime.fromtimestamp(event.created_at, UTC)
    data = event.data if isinstance(event.data, dict) else {}
    if event.type != "metrics" or "step" not in data:
        return Event(at=at, kind="message", cursor=event.id, message=event.message)
    return Event(at=at, kind="metric", cursor=event.id, total_steps=data.get("total_steps"), **read_figures(data))


def read_checkpoint(checkpoint: Any) -> Checkpoint:
    """A `FineTuningJobCheckpoint`."""
    metrics = checkpoint.metrics.model_dump() if checkpoint.metrics else {}
    figures = read_figures({**metrics, "step": checkpoint.step_number})
    return Checkpoint(
        model=checkpoint.fine_tuned_model_checkpoint,
        at=datetime.fromtimestamp(checkpoint.created_at, UTC),
        step=figures["step"],
        train_loss=figures["train_loss"],
        valid_loss=figures["valid_loss"],
        valid_reward=figures["valid_reward"],
    )


def read_result_file(content: bytes) -> bytes:
    """The CSV of a result file, which has been seen both as it is and in base64."""
    if b"," in content[:200]:
        return content
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error:
        return content


def shutdown_row(provider: str, name: str, model: Any, today: date) -> tuple[Row, ...]:
    """What a `Model` says of its own end: `shutdown_date`, where one is announced (OpenAPI document, 2026-08)."""
    shutdown = _day(getattr(model, "shutdown_date", None))
    if shutdown is None:
        return ()
    row = Row(
        provider=provider,
        models=(name,),
        inference_closes_on=shutdown,
        source=f"GET /v1/models/{name}",
        as_of=today,
        confidence="official",
    )
    return (row,)


def read_tuned(models: Sequence[Any]) -> list[TunedModel]:
    """The tuned ones among the account's models, which are named `ft:BASE:…`."""
    days = {model.id: _day(getattr(model, "shutdown_date", None)) for model in models}
    found = []
    for name, day in days.items():
        if name.startswith("ft:"):
            base = name.split(":")[1]
            found.append(TunedModel(model=name, base=base, closes_on=day or days.get(base)))
    return found


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        return None


def read_figures(data: dict[str, Any]) -> dict[str, Any]:
    """Step, losses and accuracy of a metric or a checkpoint; the loss over all of the validation file wins."""
    whole = data.get("full_valid_loss")
    return {
        "step": int(data["step"]),
        "train_loss": data.get("train_loss"),
        "valid_loss": whole if whole is not None else data.get("valid_loss"),
        "train_reward": data.get("train_mean_reward"),
        "valid_reward": data.get("full_valid_mean_reward"),
        "token_accuracy": data.get("train_mean_token_accuracy"),
    }
