"""What a create request may hold: `CreateFineTuningJobRequest` of OpenAI's OpenAPI document (2026-08).

The document allows unknown keys; the service refuses them, with the error that is here.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from ftbridge.mock.request import Body, RequestFault

Auto: TypeAlias = Literal["auto"]
Positive: TypeAlias = Annotated[int, Field(ge=1)]


class Hyperparameters(Body):
    """Those of every method; on their own they are the deprecated `hyperparameters` of a request."""

    n_epochs: Annotated[int, Field(ge=1, le=50)] | Auto = "auto"
    batch_size: Annotated[int, Field(ge=1, le=256)] | Auto = "auto"
    learning_rate_multiplier: Annotated[float, Field(gt=0)] | Auto = "auto"


class DpoHyperparameters(Hyperparameters):
    """`FineTuneDPOHyperparameters`."""

    beta: Annotated[float, Field(gt=0, le=2)] | Auto = "auto"


class ReinforcementHyperparameters(Hyperparameters):
    """`FineTuneReinforcementHyperparameters`."""

    compute_multiplier: Annotated[float, Field(gt=1e-5, le=10)] | Auto = "auto"
    eval_interval: Positive | Auto = "auto"
    eval_samples: Positive | Auto = "auto"
    reasoning_effort: Literal["default", "low", "medium", "high"] = "default"


class Supervised(Body):
    """`FineTuneSupervisedMethod`."""

    hyperparameters: Hyperparameters | None = None


class Dpo(Body):
    """`FineTuneDPOMethod`."""

    hyperparameters: DpoHyperparameters | None = None


class Reinforcement(Body):
    """`FineTuneReinforcementMethod`, and the `response_format` of the guide; the grader is judged elsewhere."""

    grader: dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    hyperparameters: ReinforcementHyperparameters | None = None


class Method(Body):
    """`FineTuneMethod`."""

    type: Literal["supervised", "dpo", "reinforcement"]
    supervised: Supervised | None = None
    dpo: Dpo | None = None
    reinforcement: Reinforcement | None = None


class CreateJob(Body):
    """The body of `POST /fine_tuning/jobs`."""

    model: str
    training_file: str
    validation_file: str | None = None
    suffix: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    seed: Annotated[int, Field(ge=0, le=2_147_483_647)] | None = None
    metadata: Annotated[dict[str, Annotated[str, Field(max_length=512)]], Field(max_length=16)] | None = None
    integrations: list[dict[str, Any]] | None = None
    method: Method | None = None
    hyperparameters: Hyperparameters | None = None


def refused_with(fault: RequestFault) -> tuple[str, str, str]:
    """OpenAI's message, code and field for a fault."""
    name = fault.name
    if fault.kind == "extra_forbidden":
        return f"Unknown parameter: '{name}'.", "unknown_parameter", name
    if fault.kind == "missing":
        return f"Missing required parameter: '{name}'.", "missing_required_parameter", name
    return f"Invalid value for '{name}': {fault.message[:1].lower()}{fault.message[1:]}.", "invalid_value", name
