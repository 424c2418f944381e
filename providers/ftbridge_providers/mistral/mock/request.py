"""What a create request may hold: `JobIn` of Mistral's OpenAPI document (2026-07), for completion models."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias
from uuid import UUID

from pydantic import Field

from ftbridge.mock.request import Body

Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Id: TypeAlias = Annotated[UUID, Field(strict=False)]


class Hyperparameters(Body):
    """`CompletionTrainingParametersIn`."""

    training_steps: Annotated[int, Field(ge=1)] | None = None
    learning_rate: Annotated[float, Field(ge=1e-8, le=1)] = 1e-4
    weight_decay: Share | None = None
    warmup_fraction: Share | None = None
    epochs: Annotated[float, Field(gt=0)] | None = None
    seq_len: Annotated[int, Field(ge=100)] | None = None
    fim_ratio: Share | None = None


class TrainingFile(Body):
    """A file and its weight among several."""

    file_id: Id
    weight: Annotated[float, Field(gt=0)] = 1.0


class CreateJob(Body):
    """The body of `POST /v1/fine_tuning/jobs`."""

    model: str
    hyperparameters: Hyperparameters
    training_files: list[TrainingFile] | None = None
    validation_files: list[Id] | None = None
    suffix: Annotated[str, Field(max_length=18)] | None = None
    integrations: list[dict[str, Any]] | None = None
    repositories: list[dict[str, Any]] | None = None
    auto_start: bool | None = None
    invalid_sample_skip_percentage: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    job_type: str | None = None
    classifier_targets: list[dict[str, Any]] | None = None
