"""What a create request may hold, by Nebius' documents; of keys that these do not name nothing is known.

Source: docs.tokenfactory.nebius.com, API reference of fine-tuning (2026-05).
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import Field

from ftbridge.mock.request import OpenBody

Positive: TypeAlias = Annotated[int, Field(ge=1)]


class Hyperparameters(OpenBody):
    """`SupervisedHParameters`, with the documented defaults."""

    batch_size: Positive = 8
    learning_rate: float = 1e-5
    n_epochs: Positive = 3
    warmup_ratio: float = 0.0
    weight_decay: float = 0.0
    packing: bool = True
    max_grad_norm: float = 1.0
    context_length: Positive = 8192
    lora: bool = False
    lora_r: Positive = 8
    lora_alpha: Positive = 8
    lora_dropout: float = 0.0


class Supervised(OpenBody):
    """What the one method has."""

    hyperparameters: Hyperparameters | None = None


class Method(OpenBody):
    """The method, another place of the hyperparameters."""

    type: str = "supervised"
    supervised: Supervised | None = None


class CreateJob(OpenBody):
    """The body of `POST /v1/fine_tuning/jobs`."""

    model: str
    training_file: str
    validation_file: str | None = None
    suffix: str | None = None
    seed: int | None = None
    method: Method | None = None
    hyperparameters: Hyperparameters | None = None
    integrations: list[dict[str, Any]] | None = None
