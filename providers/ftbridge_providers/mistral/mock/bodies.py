"""The state of mocked Mistral, and the objects of its OpenAPI document (2026-07)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from ftbridge.mock import Moment, Script
from ftbridge.model import Status

STATUS_WORDS = {
    Status.QUEUED: "QUEUED",
    Status.VALIDATING: "VALIDATING",
    Status.PAUSED: "VALIDATED",
    Status.RUNNING: "RUNNING",
    Status.SUCCEEDED: "SUCCESS",
    Status.FAILED: "FAILED",
    Status.CANCELLED: "CANCELLED",
}
"""A job that waits for its start is paused in its script."""
TOKENS_PER_STEP = 131_072
DOLLARS_PER_MILLION_TOKENS = 2.0
"""The price of the jobs in Mistral's cookbook notebooks (open-mistral-7b 2024-07, pixtral-12b 2025-07)."""


class File(Struct, frozen=True):
    """An uploaded file; its content is stored separately."""

    id: str
    filename: str
    purpose: str
    bytes: int
    created_at: float
    digest: str
    num_lines: int
    sample_type: str


class Job(Struct, frozen=True):
    """A job: its request, its script, and the state of its model."""

    id: str
    created_at: float
    request: dict[str, Any]
    script: Script
    data_tokens: int
    problem: str = ""
    cancelled_at: float = 0.0
    name: str | None = None
    description: str | None = None
    archived: bool = False
    deleted: bool = False

    @property
    def model(self) -> str:
        """The id of the model that the job makes."""
        day = datetime.fromtimestamp(self.created_at, UTC)
        return f"ft:{self.request['model']}:{self.request.get('suffix') or 'mock'}:{day:%Y%m%d}:{self.id[:8]}"

    @property
    def train_tokens(self) -> int:
        """The tokens that are trained on, over all epochs."""
        return self.data_tokens * self.script.epochs


def file_body(file: File) -> dict[str, Any]:
    """A `FileSchema` object."""
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.bytes,
        "created_at": int(file.created_at),
        "filename": file.filename,
        "purpose": file.purpose,
        "sample_type": file.sample_type,
        "num_lines": file.num_lines,
        "mimetype": "application/jsonl",
        "source": "upload",
        "signature": file.digest,
        "expires_at": None,
        "visibility": "workspace",
    }


def job_body(job: Job, now: float, *, word: str = "") -> dict[str, Any]:
    """A `CompletionJobOut` object as it is at `now`; `word` stands in for its status."""
    changes = list(_changes(job, now))
    request = job.request
    succeeded = job.script.status(now) is Status.SUCCEEDED
    validated = any(status == "VALIDATED" for _at, status in changes)
    return {
        "id": job.id,
        "object": "job",
        "job_type": "completion",
        "auto_start": bool(request.get("auto_start", False)),
        "model": request["model"],
        "status": word or changes[-1][1],
        "created_at": int(job.created_at),
        "modified_at": int(changes[-1][0]),
        "training_files": [file["file_id"] for file in request["training_files"]],
        "validation_files": request.get("validation_files") or [],
        "hyperparameters": settings(request),
        "fine_tuned_model": job.model if succeeded else None,
        "suffix": request.get("suffix"),
        "integrations": request.get("integrations") or [],
        "repositories": [],
        "trained_tokens": job.train_tokens if succeeded else None,
        "metadata": _estimate(job) if validated else {"cost": 0.0, "cost_currency": None, "train_tokens": None},
    }


def detailed_body(job: Job, now: float, *, word: str = "") -> dict[str, Any]:
    """A `CompletionDetailedJobOut` object: events and checkpoints newest first."""
    events = [_event(job, at, status) for at, status in _changes(job, now)]
    stride = max(1, job.script.steps // 10)
    steps = [moment for moment in job.script.until(now) if moment.step]
    saved = [moment for moment in steps if moment.step % stride == 0 or moment.step == job.script.steps]
    checkpoints = [_checkpoint(job, moment) for moment in saved]
    return {**job_body(job, now, word=word), "events": events[::-1], "checkpoints": checkpoints[::-1]}


def settings(request: dict[str, Any]) -> dict[str, Any]:
    """A `CompletionTrainingParameters` object, with the documented defaults."""
    defaults = {"learning_rate": 1e-4, "weight_decay": 0.1, "warmup_fraction": 0.05, "fim_ratio": 0.9, "seq_len": None}
    return {**defaults, "epochs": None, "training_steps": None, **(request.get("hyperparameters") or {})}


def tuned_card(job: Job) -> dict[str, Any]:
    """An `FTModelCard` object."""
    return {
        "id": job.model,
        "object": "model",
        "type": "fine-tuned",
        "created": int(job.created_at),
        "owned_by": "mock",
        "root": job.request["model"],
        "job": job.id,
        "name": job.name,
        "description": job.description,
        "archived": job.archived,
        "aliases": [],
        "capabilities": {"completion_chat": True, "fine_tuning": False, "function_calling": True},
    }


def updated_model(job: Job) -> dict[str, Any]:
    """A `CompletionFTModelOut` object, the answer to an update of a model."""
    card = {name: value for name, value in tuned_card(job).items() if name != "type"}
    return {
        **card,
        "model_type": "completion",
        "workspace_id": "mock",
        "root_version": "1",
        "max_context_length": 32768,
    }


def base_card(name: str) -> dict[str, Any]:
    """A `BaseModelCard` object."""
    return {
        "id": name,
        "object": "model",
        "type": "base",
        "created": 1_720_000_000,
        "owned_by": "mistralai",
        "aliases": [],
        "capabilities": {"completion_chat": True, "fine_tuning": True, "function_calling": True},
    }


def _changes(job: Job, now: float) -> Iterator[tuple[float, str]]:
    """Time and name of each status so far."""
    cancelled_at = job.cancelled_at
    for moment in job.script.until(now):
        if moment.status is None:
            continue
        if cancelled_at and moment.at >= cancelled_at:
            yield cancelled_at, "CANCELLATION_REQUESTED"
            cancelled_at = 0.0
        invalid = moment.status is Status.FAILED and job.problem
        yield moment.at, "FAILED_VALIDATION" if invalid else STATUS_WORDS[moment.status]
    if cancelled_at:
        yield cancelled_at, "CANCELLATION_REQUESTED"


def _event(job: Job, at: float, status: str) -> dict[str, Any]:
    reason = {"error": job.problem} if status == "FAILED_VALIDATION" else {}
    return {"name": "status-updated", "created_at": int(at), "data": {"status": status, **reason}}


def _checkpoint(job: Job, moment: Moment) -> dict[str, Any]:
    validated = moment.valid_loss is not None and bool(job.request.get("validation_files"))
    return {
        "step_number": moment.step,
        "created_at": int(moment.at),
        "metrics": {
            "train_loss": moment.train_loss,
            "valid_loss": moment.valid_loss if validated else None,
            # above 1, as in the samples of Mistral's documentation
            "valid_mean_token_accuracy": round(1 + (moment.token_accuracy or 0), 4) if validated else None,
        },
    }


def _estimate(job: Job) -> dict[str, Any]:
    return {
        "expected_duration_seconds": 140,
        "cost": round(job.train_tokens * DOLLARS_PER_MILLION_TOKENS / 1e6, 6),
        "cost_currency": "USD",
        "train_tokens_per_step": TOKENS_PER_STEP,
        "train_tokens": job.train_tokens,
        "data_tokens": job.data_tokens,
        "estimated_start_time": None,
    }
