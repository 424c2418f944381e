"""Together's objects, read as ftbridge's: statuses, jobs, events with metrics, checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from msgspec import Struct

from ftbridge.catalogue import Row
from ftbridge.foreign.values import cost_of, count_of, text_of, time_of, times_of
from ftbridge.model import Checkpoint, Event, Hyperparameters, Method, Result, Status
from ftbridge.provider import Listed, RemoteJob
from ftbridge.provider.hosted import merge_events, read_hyperparameters, read_suffix
from ftbridge.provider.unreadable import UNREADABLE, decode_json, readable
from ftbridge_providers.together.client import unexpected_answer

STATUS = {
    "pending": Status.QUEUED,
    "queued": Status.QUEUED,
    "running": Status.RUNNING,
    "compressing": Status.RUNNING,
    "uploading": Status.RUNNING,
    "cancel_requested": Status.RUNNING,
    "cancelled": Status.CANCELLED,
    "error": Status.FAILED,
    "user_error": Status.FAILED,
    "completed": Status.SUCCEEDED,
}
"""The OpenAPI document's enum (2026-04) and `user_error`, which only the SDK knows (3.1.1, lib/types/fine_tuning)."""

NANODOLLARS = 1_000_000_000
"""In a dollar; `total_price` is an integer of these (SDK 3.1.1, lib/utils/tools)."""

HYPERPARAMETER_NAMES = {"epochs": "n_epochs", "seed": "random_seed", "lora_rank": "lora_r", "beta": "dpo_beta"}
"""Together's names of ftbridge's hyperparameters, where they differ."""
JOB_FIELDS = {
    "model": "model",
    "from_checkpoint": "model",
    "training_file": "data",
    "validation_file": "validation",
    "training_method.method": "method",
    "training_type.type": "tuning",
    "suffix": "name",
    "events": "events",
}
"""ftbridge's names of the fields of a job."""
_METHODS = {"sft": Method.SFT, "dpo": Method.DPO}
_NO_TIME = datetime.fromtimestamp(0, UTC)


class ShortJob(Struct, gc=False):
    """The fields of a listed job that `find` and `read_job` need, whatever they hold."""

    id: str
    status: Any
    created_at: Any = ""
    suffix: Any = None
    x_model_output_name: Any = msgspec.field(name="model_output_name", default=None)
    total_price: Any = None
    token_count: Any = None


class _ShortList(Struct):
    data: list[ShortJob]


class _ListOfAnything(Struct):
    data: list[Any]


_SHORT_LIST = msgspec.json.Decoder(_ShortList)


def read_short_list(content: bytes) -> list[ShortJob]:
    """The jobs in the bytes of a listing; what is no job is left out. Raises `BadAnswer` where they are not one."""
    try:
        return _SHORT_LIST.decode(content).data
    except (*UNREADABLE, msgspec.DecodeError):
        pass
    try:
        listed: list[Any] = decode_json(content, _ListOfAnything).data
    except UNREADABLE:
        raise unexpected_answer() from None
    return list(readable(listed, lambda job: msgspec.convert(job, ShortJob)))


def read_job(job: Any, *, error: str | None = None) -> RemoteJob:
    """A job, complete or listed; a status that is not in the table is `unknown`, and the vendor's word is kept.

    `total_price` is final once the job has succeeded. A job that was stopped is billed for its completed steps only
    (docs.together.ai/docs/fine-tuning/pricing, 2026-06); whether `total_price` reflects that is not documented.
    `token_count` counts processed tokens (OpenAPI document, 2026-04), so it is not an estimate.
    """
    status = STATUS.get(str(job.status), Status.UNKNOWN)
    done = status is Status.SUCCEEDED
    name, price = getattr(job, "x_model_output_name", None), cost_of(getattr(job, "total_price", None))
    return RemoteJob(
        remote_id=job.id,
        status=status,
        raw_status=str(job.status),
        error=error,
        result=Result(model=name) if name and done else None,
        trained_tokens=count_of(getattr(job, "token_count", None)) or None if done else None,
        cost_usd=price / NANODOLLARS if price and done else None,
        estimate_usd=price / NANODOLLARS if price and not done else None,
    )


def read_listed(job: Any) -> Listed:
    """A job of the listing, with the parts of its request."""
    remote = read_job(job)
    name, tag = read_suffix(job.suffix)
    return Listed(
        remote=remote,
        tag=tag,
        model=job.from_checkpoint or job.model or "",
        method=_METHODS.get(str(_fields(job.training_method).get("method", "sft"))),
        hyperparameters=_hyperparameters(job),
        name=name,
        training_file=job.training_file or "",
        validation_file=job.validation_file or None,
        created_at=job.created_at,
        finished_at=job.updated_at if remote.status.final else None,
    )


def _hyperparameters(job: Any) -> Hyperparameters:
    kind = _fields(job.training_type)
    values = {**_fields(job), **kind, **_fields(job.training_method)}
    return read_hyperparameters({**values, "tuning": str(kind.get("type") or "").lower() or None}, HYPERPARAMETER_NAMES)


def _fields(part: Any) -> dict[str, Any]:
    return part.model_dump() if hasattr(part, "model_dump") else {}


def read_error(events: Sequence[Any]) -> str | None:
    """Why a job failed: jobs have no field for it, but their last error event has the reason."""
    reasons = [text_of(event.message) for event in events if _kind(event) in ("job_error", "job_user_error")]
    return reasons[-1] if reasons else None


def read_events(events: Sequence[Any], metrics: Sequence[Any], since: str) -> list[Event]:
    """Events and metrics, which have no ids, as one list by time, after the event whose cursor is `since`."""
    times = times_of(getattr(event, "created_at", None) for event in events)
    timed = sorted(zip(events, times, strict=True), key=lambda one: one[1] or _NO_TIME)
    begun = [at for event, at in timed if _kind(event) == "training_start"]
    start = next(iter([*begun, *(at for _event, at in timed)]), None) or _NO_TIME
    return merge_events(
        list(readable(timed, lambda one: _event(*one))), list(readable(metrics, lambda row: _metric(row, start))), since
    )


def read_checkpoint(job_id: str, checkpoint: Any) -> Checkpoint:
    """A checkpoint, by the id under which a new job can continue from it."""
    return Checkpoint(model=f"{job_id}:{checkpoint.step}", at=checkpoint.created_at, step=checkpoint.step)


def limits_row(model: str, limits: Any, today: date) -> tuple[Row, ...]:
    """A model's limits as a row of the catalogue; 0 means no limit."""
    row = Row(
        provider="together",
        models=(model,),
        sft_context_tokens=limits.max_seq_length_sft or None,
        dpo_context_tokens=limits.max_seq_length_dpo or None,
        batch_size_at_most=limits.lora_training.max_batch_size or None,
        lora_rank_at_most=limits.lora_training.max_rank or None,
        source=f"GET /v1/fine-tunes/models/limits?model_name={model}",
        as_of=today,
        confidence="official",
    )
    return (row,)


def read_estimate(answer: Any) -> float | None:
    """Together's price estimate in US dollars; it gives none for images (SDK 3.1.1, estimate_price)."""
    if not isinstance(answer, dict) or not answer.get("estimation_available", True):
        return None
    return cost_of(answer.get("estimated_total_price"))


def _event(event: Any, at: Any) -> Event:
    kind = _kind(event)
    return Event(
        at=at,
        kind="checkpoint" if kind == "checkpoint_save" else "message",
        message=event.message or kind,
        step=event.step or None,
        total_steps=event.total_steps or None,
    )


def _metric(row: dict[str, Any], start: datetime) -> Event:
    """A row of the metrics: `train/…` of a training step, or `eval/…` of an evaluation.

    The names are those of docs.together.ai/docs/fine-tuning/monitoring and of the SDK's charts (3.1.1).
    """
    return Event(
        at=time_of(row.get("timestamp")) or start,
        kind="metric",
        step=row.get("train/global_step"),
        epoch=row.get("train/epoch"),
        train_loss=row.get("train/loss"),
        valid_loss=row.get("eval/loss"),
        learning_rate=row.get("train/learning_rate"),
    )


def _kind(event: Any) -> str:
    """The event's type: lower case in the API, upper case in the events of older jobs."""
    kind = getattr(event, "type", "")
    return str(getattr(kind, "value", kind)).lower()
