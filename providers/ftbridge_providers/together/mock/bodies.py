"""The state of mocked Together, and the objects of its OpenAPI document (2026-04) and SDK (3.1.1)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from ftbridge.mock import Moment, Script
from ftbridge.model import Status

STATUS_WORDS = {
    Status.VALIDATING: "pending",
    Status.QUEUED: "queued",
    Status.RUNNING: "running",
    Status.SUCCEEDED: "completed",
    Status.FAILED: "error",
    Status.CANCELLED: "cancelled",
}
_EVENTS = {
    Status.VALIDATING: [("job_pending", "Fine tune request created")],
    Status.QUEUED: [],
    Status.RUNNING: [("job_start", "Job started"), ("training_start", "Training started")],
    Status.SUCCEEDED: [("model_upload_complete", "Model upload complete"), ("job_complete", "Job finished")],
    Status.FAILED: [("job_error", "")],
    Status.CANCELLED: [("cancel_requested", "Cancellation requested"), ("job_stopped", "Job cancelled")],
}
NANODOLLARS_PER_TOKEN = 480
"""0.48 US dollars for a million tokens: LoRA up to 16B (prices as quoted in 2026)."""


class File(Struct, frozen=True):
    """An uploaded file. It is validated at `checked_at`; `problem` is why it is invalid."""

    id: str
    filename: str
    purpose: str
    file_type: str
    checksum: str
    created_at: float
    bytes: int = 0
    checked_at: float | None = None
    problem: str | None = None
    dataset_format: str | None = None
    lines: int = 0


class Job(Struct, frozen=True):
    """A job: its request with defaults filled in, and its script."""

    id: str
    created_at: float
    request: dict[str, Any]
    model: str
    script: Script
    token_count: int
    problem: str = ""


def file_body(file: File, now: float) -> dict[str, Any]:
    """A `FileResponse` object."""
    checked = file.checked_at is not None and file.checked_at <= now
    body = {
        "id": file.id,
        "object": "file",
        "bytes": file.bytes,
        "created_at": int(file.created_at),
        "filename": file.filename,
        "purpose": file.purpose,
        "FileType": file.file_type,
        "Processed": checked,
        "LineCount": file.lines,
        "processing_status": "RUNNING" if file.checked_at else "PENDING",
    }
    if checked:
        body["processing_status"] = "INVALID_FORMAT" if file.problem else "COMPLETED"
        body["validation_report"] = {
            "file_id": file.id,
            "valid": not file.problem,
            **({"error": file.problem, "error_type": "INVALID_FORMAT"} if file.problem else {}),
            "dataset_format": file.dataset_format,
            "nlines": file.lines,
        }
    return body


def short_body(job: Job, now: float, *, word: str = "") -> dict[str, Any]:
    """A `FinetuneResponseTruncated` object as it is at `now`; `word` stands in for its status."""
    status = job.script.status(now)
    body = {
        **job.request,
        "id": job.id,
        "user_id": "user-mock",
        "model": job.model,
        "model_output_name": output_name(job),
        "status": word or _word(job, status, now),
        "created_at": iso(job.created_at),
        "updated_at": iso(job.script.until(now)[-1].at),
        "events": [],
        "progress": {
            "estimate_available": status is Status.RUNNING,
            "seconds_remaining": 0 if status.final else max(0, int(job.script.moments[-1].at - now)),
        },
    }
    if status is Status.SUCCEEDED:
        body |= {"token_count": job.token_count, "total_price": job.token_count * NANODOLLARS_PER_TOKEN}
    return body


def job_body(job: Job, now: float, *, word: str = "") -> dict[str, Any]:
    """A `FinetuneResponse` object: it has more than the listing, but no suffix."""
    body = short_body(job, now, word=word)
    del body["suffix"]
    epochs = [moment for moment in job.script.until(now) if moment.checkpoint]
    return {**body, "epochs_completed": len(epochs), "events": event_bodies(job, now)}


def event_bodies(job: Job, now: float) -> list[dict[str, Any]]:
    """All `FineTuneEvent` objects of a job until `now`, oldest first."""
    bodies = []
    for moment in job.script.until(now):
        if moment.status:
            for kind, message in _EVENTS[moment.status]:
                bodies.append(_event(job, moment, kind, message or job.problem))
        elif moment.checkpoint:
            bodies.append(_event(job, moment, "epoch_complete", f"Epoch completed, at step {moment.step}"))
        if moment in saved(job):
            bodies.append(_event(job, moment, "checkpoint_save", f"Checkpoint saved at step {moment.step}"))
    return bodies


def metric_rows(job: Job, now: float) -> list[dict[str, float]]:
    """A row for each training step and one for each evaluation, in the order of time."""
    rows: list[dict[str, float]] = []
    for moment in job.script.until(now):
        if not moment.step:
            continue
        position = {"train/global_step": moment.step, "timestamp": moment.at}
        progress = moment.step / job.script.steps
        rows.append(
            {
                **position,
                "train/loss": moment.train_loss or 0.0,
                "train/epoch": progress * job.script.epochs,
                "train/learning_rate": job.request["learning_rate"] * (1 - progress),
            }
        )
        if moment.valid_loss is not None and job.request.get("validation_file"):
            rows.append({**position, "eval/loss": moment.valid_loss})
    return rows


def checkpoint_body(job: Job, moment: Moment) -> dict[str, Any]:
    """A `FineTuneCheckpoint` object."""
    return {
        "step": moment.step,
        "created_at": iso(moment.at),
        "path": f"mock/{job.id}/{moment.step}",
        "checkpoint_type": f"Adapter checkpoint (step {moment.step})",
    }


def saved(job: Job) -> list[Moment]:
    """The moments whose weights are saved: the last of them are the tuned model."""
    return [moment for moment in job.script.moments if moment.checkpoint][-job.request["n_checkpoints"] :]


def output_name(job: Job) -> str:
    """The name of the model that the job makes."""
    parts = (job.model.rsplit("/", 1)[-1], job.request["suffix"], job.id.removeprefix("ft-")[:8])
    return f"mock/{'-'.join(part for part in parts if part)}"


def iso(at: float) -> str:
    """A time in Together's format."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _word(job: Job, status: Status, now: float) -> str:
    """The status; weights are uploaded between the last step and the end."""
    trained = job.script.until(now)[-1].step == job.script.steps
    return "uploading" if status is Status.RUNNING and trained else STATUS_WORDS[status]


def _event(job: Job, moment: Moment, kind: str, message: str) -> dict[str, Any]:
    return {
        "object": "fine-tune-event",
        "created_at": iso(moment.at),
        "level": "error" if kind == "job_error" else "info",
        "message": message,
        "type": kind,
        "step": moment.step,
        "total_steps": job.script.steps,
        "param_count": 0,
        "token_count": 0,
        "training_offset": 0,
        "wandb_url": "",
        "checkpoint_path": "",
        "model_path": "",
        "hash": "",
    }
