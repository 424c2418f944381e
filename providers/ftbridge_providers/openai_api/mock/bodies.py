"""The state of the mock, and the objects of OpenAI's OpenAPI document (2026-08) in which it is shown."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from ftbridge.mock import Call, Moment, Script
from ftbridge.model import Status

STATUS_WORDS = {
    Status.VALIDATING: "validating_files",
    Status.QUEUED: "queued",
    Status.RUNNING: "running",
    Status.PAUSED: "paused",
    Status.SUCCEEDED: "succeeded",
    Status.FAILED: "failed",
    Status.CANCELLED: "cancelled",
}
_MESSAGES = {
    Status.QUEUED: "Files validated, moving job to queued state",
    Status.RUNNING: "Fine-tuning job started",
    Status.PAUSED: "Fine-tuning job paused",
    Status.SUCCEEDED: "The job has successfully completed",
    Status.CANCELLED: "Fine-tuning job cancelled",
}


class FileProblem(Exception):  # noqa: N818 - it becomes the job's error, not the mock's
    """Why a job fails in validation: a code and the vendor's message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.body = {"code": code, "message": message, "param": "training_file"}


class File(Struct, frozen=True):
    """An uploaded file; its content is stored separately."""

    id: str
    filename: str
    purpose: str
    bytes: int
    created_at: float


class Job(Struct, frozen=True):
    """A job: its request, its script, and the id of the `model` that it makes."""

    id: str
    created_at: float
    model: str
    request: dict[str, Any]
    script: Script
    method: dict[str, Any]
    trained_tokens: int
    problem: dict[str, Any] | None = None
    deleted: tuple[str, ...] = ()
    """The models of the job that were deleted: its own and checkpoints."""

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """Those of its method, defaults included."""
        hyperparameters: dict[str, Any] = self.method[self.method["type"]]["hyperparameters"]
        return hyperparameters

    @property
    def number(self) -> str:
        """The part of its id that other ids are made of."""
        return self.id.removeprefix("ftjob-")


def file_body(file: File) -> dict[str, Any]:
    """A `File` object."""
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.bytes,
        "created_at": int(file.created_at),
        "filename": file.filename,
        "purpose": file.purpose,
        "status": "processed",
    }


def page_of(items: list[dict[str, Any]], call: Call, default: int) -> tuple[list[dict[str, Any]], bool]:
    """One page of `items` after the one that `after` names, and whether there are more."""
    limit = int(call.query.get("limit", default))
    after = call.query.get("after")
    positions = [position for position, item in enumerate(items) if item["id"] == after]
    rest = items[positions[0] + 1 :] if positions else items
    return rest[:limit], len(rest) > limit


def job_body(job: Job, now: float, word: str) -> dict[str, Any]:
    """The fields of a `FineTuningJob` that every service has, at `now`, with `word` as its status."""
    status = job.script.status(now)
    return {
        "id": job.id,
        "object": "fine_tuning.job",
        "created_at": int(job.created_at),
        "finished_at": int(job.script.moments[-1].at) if status.final else None,
        "estimated_finish": int(job.script.moments[-1].at) if status is Status.RUNNING else None,
        "model": job.request["model"],
        "status": word,
        "trained_tokens": job.trained_tokens if status is Status.SUCCEEDED else None,
        "training_file": job.request["training_file"],
        "validation_file": job.request.get("validation_file"),
        "integrations": [],
        "error": job.problem if status is Status.FAILED else None,
    }


def event_body(job: Job, index: int, at: float, message: str) -> dict[str, Any]:
    """A `FineTuningJobEvent` object with a message."""
    return {
        "id": f"ftevent-{job.number}{index:05}",
        "object": "fine_tuning.job.event",
        "created_at": int(at),
        "level": "info",
        "message": message,
        "type": "message",
        "data": {},
    }


def status_event(job: Job, index: int, at: float, status: Status) -> dict[str, Any]:
    """The `FineTuningJobEvent` object of a change of status."""
    if status is Status.VALIDATING:
        return event_body(job, index, at, f"Validating training file: {job.request['training_file']}")
    if status is Status.FAILED:
        message = (job.problem or {}).get("message", "The job failed.")
        return {**event_body(job, index, at, message), "level": "error"}
    return event_body(job, index, at, _MESSAGES[status])


def checkpoint_body(job: Job, moment: Moment, metrics: dict[str, Any]) -> dict[str, Any]:
    """A `FineTuningJobCheckpoint` object."""
    return {
        "id": f"ftckpt_{job.number}{moment.step}",
        "object": "fine_tuning.job.checkpoint",
        "created_at": int(moment.at),
        "fine_tuning_job_id": job.id,
        "fine_tuned_model_checkpoint": f"{job.model}:ckpt-step-{moment.step}",
        "step_number": moment.step,
        "metrics": metrics,
    }


def loss_metrics(job: Job, moment: Moment) -> dict[str, Any]:
    """Losses and accuracies, those on the validation file where there is one."""
    metrics: dict[str, Any] = {
        "step": moment.step,
        "train_loss": moment.train_loss,
        "train_mean_token_accuracy": moment.token_accuracy,
    }
    if moment.valid_loss is not None and job.request.get("validation_file"):
        metrics |= {"full_valid_loss": moment.valid_loss, "full_valid_mean_token_accuracy": moment.token_accuracy}
    return metrics


def model_body(name: str, *, owner: str) -> dict[str, Any]:
    """A `Model` object."""
    return {"id": name, "object": "model", "created": 1_744_000_000, "owned_by": owner}
