"""The create request of OpenAI's protocol."""

from __future__ import annotations

from typing import Any

from ftbridge.model import Spec
from ftbridge.provider import Files


def create_request(spec: Spec, model: str, files: Files, *, suffix: str) -> dict[str, Any]:
    """The arguments of the SDK's `create` that every service takes; hyperparameters are not among them."""
    request: dict[str, Any] = {"model": model, "training_file": files.training, "suffix": suffix}
    if files.validation:
        request["validation_file"] = files.validation
    if spec.hyperparameters.seed is not None:
        request["seed"] = spec.hyperparameters.seed
    return request
