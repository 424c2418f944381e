"""What OpenAI's create call takes: the hyperparameters, and the request."""

from __future__ import annotations

from typing import Any

from ftbridge.model import Method, Spec
from ftbridge.provider import APPLIED, Capabilities, Files, Handling

TAG = "ftbridge"
"""The metadata key that carries a job's tag."""

_NO_LORA = Handling(
    how="refused",
    note="OpenAI does not say how it adapts the model; epochs and learning_rate_multiplier are what it lets you set.",
)

_DPO, _RFT = frozenset({Method.DPO}), frozenset({Method.RFT})

CAPABILITIES = Capabilities(
    methods=frozenset({Method.SFT, Method.DPO, Method.RFT}),
    hyperparameters={
        "epochs": Handling(how="renamed", to="n_epochs", minimum=1, maximum=50),
        "batch_size": Handling(how="applied", minimum=1, maximum=256),
        "learning_rate": Handling(
            how="refused",
            note="OpenAI takes learning_rate_multiplier, a factor on a rate that it does not tell.",
        ),
        "learning_rate_multiplier": APPLIED,
        "warmup_ratio": Handling(how="refused", note="OpenAI sets the schedule itself."),
        "weight_decay": Handling(how="refused", note="OpenAI sets the optimizer itself; fewer epochs overfit less."),
        "seed": APPLIED,
        "lora_rank": _NO_LORA,
        "lora_alpha": _NO_LORA,
        "lora_dropout": _NO_LORA,
        "tuning": _NO_LORA,
        "max_seq_length": Handling(how="refused", note="OpenAI cuts examples off at the model's own limit."),
        "beta": Handling(how="applied", methods=_DPO, greater_than=0, maximum=2),
        "reasoning_effort": Handling(how="applied", methods=_RFT),
        "compute_multiplier": Handling(how="applied", methods=_RFT, greater_than=1e-5, maximum=10),
        "eval_interval": Handling(how="applied", methods=_RFT, minimum=1),
        "eval_samples": Handling(how="applied", methods=_RFT, minimum=1),
    },
    verbs=frozenset({"cancel", "pause", "resume", "checkpoints", "chat", "list_models", "delete"}),
)
"""Hyperparameters of the create call: OpenAPI document of 2026-08, `CreateFineTuningJobRequest`."""


def create_request(spec: Spec, model: str, files: Files, *, suffix: str) -> dict[str, Any]:
    """What the SDK's `create` is called with by whoever speaks OpenAI's API, still without hyperparameters."""
    request: dict[str, Any] = {"model": model, "training_file": files.training, "suffix": suffix}
    if files.validation:
        request["validation_file"] = files.validation
    if spec.hyperparameters.seed is not None:
        request["seed"] = spec.hyperparameters.seed
    return request


def method_body(spec: Spec) -> dict[str, Any]:
    """The `method` object; the top-level `hyperparameters` are deprecated and not used."""
    kind = {Method.SFT: "supervised", Method.DPO: "dpo", Method.RFT: "reinforcement"}[spec.method]
    given = spec.hyperparameters.given()
    renamed = {CAPABILITIES.hyperparameters[name].to or name: value for name, value in given.items()}
    grading = {"grader": spec.grader, "response_format": spec.response_format}
    own = {name: value for name, value in grading.items() if value is not None}
    return {"type": kind, kind: {**own, "hyperparameters": {k: v for k, v in renamed.items() if k != "seed"}}}
