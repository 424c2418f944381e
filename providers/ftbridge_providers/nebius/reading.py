"""Nebius' checkpoints, read as ftbridge's.

Source: docs.tokenfactory.nebius.com/api-reference/fine-tuning (OpenAPI document 20260506).
"""

from __future__ import annotations

from typing import Any

from ftbridge.model import Checkpoint, Event
from ftbridge_providers.openai_api.reading import read_metrics

HYPERPARAMETER_NAMES = {"epochs": "n_epochs", "lora_rank": "lora_r", "max_seq_length": "context_length"}
"""Nebius' names of ftbridge's hyperparameters, where they differ; `tuning` is its `lora`, true or false."""


def read_checkpoint(job_id: str, checkpoint: Any) -> Checkpoint:
    """A checkpoint, under the name by which it can be deployed."""
    values = _metrics(checkpoint)
    return Checkpoint(
        model=f"{job_id}:{checkpoint.id}",
        at=checkpoint.created_at,
        step=values["step"],
        train_loss=values["train_loss"],
        valid_loss=values["valid_loss"],
    )


def read_metric(checkpoint: Any) -> Event:
    """The metrics of a checkpoint: Nebius documents no others."""
    return Event(at=checkpoint.created_at, kind="metric", **_metrics(checkpoint))


def _metrics(checkpoint: Any) -> dict[str, Any]:
    metrics = checkpoint.metrics.model_dump() if checkpoint.metrics else {}
    return read_metrics({**metrics, "step": checkpoint.step_number})
