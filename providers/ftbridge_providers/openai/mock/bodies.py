"""What mocked OpenAI keeps, and how it shows it: the objects of its OpenAPI document (2026-08)."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from ftbridge.mock import Call, Moment, Script
from ftbridge.model import Status
from ftbridge_providers.openai.mock.reinforcement import COLUMNS, METHOD, is_evaluation, rewards, sentence

WORDS = {
    Status.VALIDATING: "validating_files",
    Status.QUEUED: "queued",
    Status.RUNNING: "running",
    Status.PAUSED: "paused",
    Status.SUCCEEDED: "succeeded",
    Status.FAILED: "failed",
    Status.CANCELLED: "cancelled",
}
_SAID = {
    Status.QUEUED: "Files validated, moving job to queued state",
    Status.RUNNING: "Fine-tuning job started",
    Status.PAUSED: "Fine-tuning job paused",
    Status.SUCCEEDED: "The job has successfully completed",
    Status.CANCELLED: "Fine-tuning job cancelled",
}


class File(Struct, frozen=True):
    """An uploaded file; its content is kept beside it."""

    id: str
    filename: str
    purpose: str
    bytes: int
    created_at: float


class Job(Struct, frozen=True):
    """A job: what was asked, what will become of it, and the id of the `model` that it makes."""

    id: str
    created_at: float
    model: str
    request: dict[str, Any]
    script: Script
    method: dict[str, Any]
    trained_tokens: int
    problem: dict[str, Any] | None = None


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
    places = [place for place, item in enumerate(items) if item["id"] == after]
    rest = items[places[0] + 1 :] if places else items
    return rest[:limit], len(rest) > limit


def job_body(job: Job, now: float, word: str) -> dict[str, Any]:
    """A `FineTuningJob` object as it is at `now`, with `word` as its status."""
    status = job.script.status(now)
    succeeded = status is Status.SUCCEEDED
    return {
        "id": job.id,
        "object": "fine_tuning.job",
        "created_at": int(job.created_at),
        "finished_at": int(job.script.moments[-1].at) if status.final else None,
        "estimated_finish": int(job.script.moments[-1].at) if status is Status.RUNNING else None,
        "model": job.request["model"],
        "fine_tuned_model": job.model if succeeded else None,
        "organization_id": "org-mock",
        "result_files": [result_file_id(job)] if succeeded else [],
        "status": word,
        "trained_tokens": job.trained_tokens if succeeded else None,
        "training_file": job.request["training_file"],
        "validation_file": job.request.get("validation_file"),
        "hyperparameters": {
            name: value
            for name, value in job.method[job.method["type"]]["hyperparameters"].items()
            if name in ("n_epochs", "batch_size", "learning_rate_multiplier")
        },
        "method": job.method,
        "seed": job.request.get("seed") or 42,
        "metadata": job.request.get("metadata"),
        "integrations": [],
        "error": job.problem if status is Status.FAILED else None,
    }


def event_bodies(job: Job, now: float) -> list[dict[str, Any]]:
    """All `FineTuningJobEvent` objects of a job until `now`, oldest first."""
    bodies = [_event(job, 0, job.created_at, f"Created fine-tuning job: {job.id}")]
    for moment in job.script.until(now):
        number = len(bodies)
        if moment.status is Status.VALIDATING:
            bodies.append(_event(job, number, moment.at, f"Validating training file: {job.request['training_file']}"))
        elif moment.status is Status.FAILED:
            said = (job.problem or {}).get("message", "The job failed.")
            bodies.append({**_event(job, number, moment.at, said), "level": "error"})
        elif moment.status:
            bodies.append(_event(job, number, moment.at, _SAID[moment.status]))
        else:
            bodies.append(_metrics(job, number, moment))
    return bodies


def checkpoint_body(job: Job, moment: Moment) -> dict[str, Any]:
    """A `FineTuningJobCheckpoint` object."""
    return {
        "id": f"ftckpt_{job.id.removeprefix('ftjob-')}{moment.step}",
        "object": "fine_tuning.job.checkpoint",
        "created_at": int(moment.at),
        "fine_tuning_job_id": job.id,
        "fine_tuned_model_checkpoint": f"{job.model}:ckpt-step-{moment.step}",
        "step_number": moment.step,
        "metrics": _figures(job, moment),
    }


def is_kept(job: Job, moment: Moment) -> bool:
    """Whether a moment leaves a checkpoint: the end of an epoch does, or, in reinforcement, an evaluation."""
    return is_evaluation(moment, job.script, job.method) if _is_reinforced(job) else moment.checkpoint


def result_csv(job: Job) -> bytes:
    """The result file: a row a step, blank where a figure was not measured."""
    if _is_reinforced(job):
        names: tuple[str, ...] = ("step", *COLUMNS)
        rows = [rewards(moment, job.script, job.method) for moment in job.script.moments if moment.step]
    else:
        names = ("step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy")
        rows = [_losses(moment) for moment in job.script.moments if moment.step]
    lines = [",".join(str(row.get(name, "")) for name in names) for row in rows]
    return "\n".join([",".join(names), *lines, ""]).encode()


def result_file_id(job: Job) -> str:
    """The id of the result file."""
    return f"file-{job.id.removeprefix('ftjob-')}"


def _event(job: Job, number: int, at: float, message: str) -> dict[str, Any]:
    return {
        "id": f"ftevent-{job.id.removeprefix('ftjob-')}{number:05}",
        "object": "fine_tuning.job.event",
        "created_at": int(at),
        "level": "info",
        "message": message,
        "type": "message",
        "data": {},
    }


def _metrics(job: Job, number: int, moment: Moment) -> dict[str, Any]:
    figures = {**_figures(job, moment), "total_steps": job.script.steps}
    said = f"Step {moment.step}/{job.script.steps}: training loss={moment.train_loss:.2f}"
    if _is_reinforced(job):
        said = sentence(figures, job.script.steps)
    return {**_event(job, number, moment.at, said), "type": "metrics", "data": figures}


def _figures(job: Job, moment: Moment) -> dict[str, Any]:
    if _is_reinforced(job):
        return rewards(moment, job.script, job.method)
    figures: dict[str, Any] = {
        "step": moment.step,
        "train_loss": moment.train_loss,
        "train_mean_token_accuracy": moment.token_accuracy,
    }
    if moment.valid_loss is not None and job.request.get("validation_file"):
        figures |= {"full_valid_loss": moment.valid_loss, "full_valid_mean_token_accuracy": moment.token_accuracy}
    return figures


def _losses(moment: Moment) -> dict[str, Any]:
    measured = {"step": moment.step, "train_loss": moment.train_loss, "train_accuracy": moment.token_accuracy}
    if moment.valid_loss is None:
        return measured
    return {**measured, "valid_loss": moment.valid_loss, "valid_mean_token_accuracy": moment.token_accuracy}


def _is_reinforced(job: Job) -> bool:
    return bool(job.method["type"] == METHOD)
