"""The hyperparameters of OpenAI's models, and the `method` object that carries them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftbridge.model import Method, Spec
from ftbridge.provider import APPLIED, Handling

_NO_LORA = Handling(
    how="refused",
    note="OpenAI does not document how it adapts the model; set epochs or learning_rate_multiplier instead.",
)

HYPERPARAMETERS: Mapping[str, Handling] = {
    "epochs": Handling(how="renamed", to="n_epochs", least=1, most=50),
    "batch_size": Handling(how="applied", least=1, most=256),
    "learning_rate": Handling(
        how="refused",
        note="OpenAI takes learning_rate_multiplier, a factor on a rate that it does not disclose.",
    ),
    "learning_rate_multiplier": APPLIED,
    "warmup_ratio": Handling(how="refused", note="OpenAI sets the schedule itself."),
    "weight_decay": Handling(how="refused", note="OpenAI sets the optimizer itself; fewer epochs overfit less."),
    "seed": APPLIED,
    "lora_rank": _NO_LORA,
    "lora_alpha": _NO_LORA,
    "lora_dropout": _NO_LORA,
    "tuning": _NO_LORA,
    "max_seq_length": Handling(how="refused", note="OpenAI truncates examples at the model's own limit."),
    "beta": Handling(how="applied", methods=frozenset({Method.DPO}), above=0, most=2),
}
"""Those of supervised and preference fine-tuning: OpenAPI document of 2026-08, `CreateFineTuningJobRequest`."""

_KINDS = {Method.SFT: "supervised", Method.DPO: "dpo", Method.RFT: "reinforcement"}


def method_body(spec: Spec) -> dict[str, Any]:
    """The `method` object; the top-level `hyperparameters` are deprecated and not used."""
    kind = _KINDS[spec.method]
    given = spec.hyperparameters.given()
    given.pop("seed", None)
    hyperparameters = {_vendor_name(name): value for name, value in given.items()}
    grading = {"grader": spec.grader, "response_format": spec.response_format}
    parts = {name: value for name, value in grading.items() if value is not None}
    return {"type": kind, kind: {**parts, "hyperparameters": hyperparameters}}


def _vendor_name(name: str) -> str:
    handling = HYPERPARAMETERS.get(name)
    return handling.to if handling and handling.to else name
