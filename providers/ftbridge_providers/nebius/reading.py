"""Nebius' objects, read as ftbridge's, where they are not OpenAI's.

Source: docs.tokenfactory.nebius.com/api-reference/fine-tuning (OpenAPI document 20260506).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ftbridge.model import Checkpoint, Event
from ftbridge_providers.openai.reading import read_figures

WORDS = {"epochs": "n_epochs", "lora_rank": "lora_r", "max_seq_length": "context_length"}
"""Nebius' names of our hyperparameters, where they differ; `tuning` is its `lora`, true or false."""


def read_checkpoint(job_id: str, checkpoint: Any) -> Checkpoint:
    """A checkpoint, by the name under which it can be deployed."""
    figures = _figures(checkpoint)
    return Checkpoint(
        model=f"{job_id}:{checkpoint.id}",
        at=datetime.fromtimestamp(checkpoint.created_at, UTC),
        step=figures["step"],
        train_loss=figures["train_loss"],
        valid_loss=figures["valid_loss"],
    )


def read_metric(checkpoint: Any) -> Event:
    """What was measured at a checkpoint: Nebius documents no other metrics."""
    return Event(at=datetime.fromtimestamp(checkpoint.created_at, UTC), kind="metric", **_figures(checkpoint))


def _figures(checkpoint: Any) -> dict[str, Any]:
    metrics = checkpoint.metrics.model_dump() if checkpoint.metrics else {}
    return read_figures({**metrics, "step": checkpoint.step_number})
