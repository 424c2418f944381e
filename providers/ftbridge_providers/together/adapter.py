"""Together AI as a provider."""

from __future__ import annotations

from ftbridge.dataset.converter import Converter
from ftbridge.model import Method, Spec
from ftbridge.provider import APPLIED, Capabilities, Handling, Provider
from ftbridge_providers.together.format import TogetherFormat

CAPABILITIES = Capabilities(
    methods=frozenset({Method.SFT, Method.DPO}),
    hyperparameters={
        "epochs": Handling(how="renamed", to="n_epochs"),
        "batch_size": APPLIED,
        "learning_rate": APPLIED,
        "learning_rate_multiplier": Handling(how="refused", note="Together takes an absolute learning_rate."),
        "warmup_ratio": APPLIED,
        "weight_decay": APPLIED,
        "seed": Handling(how="renamed", to="random_seed"),
        "lora_rank": Handling(how="renamed", to="lora_r"),
        "lora_alpha": APPLIED,
        "lora_dropout": APPLIED,
        "max_seq_length": APPLIED,
        "beta": Handling(how="renamed", to="dpo_beta"),
    },
)
"""Hyperparameters of the create call: Together's OpenAPI document of 2026-04, `POST /fine-tunes`."""


class TogetherProvider(Provider):
    """Together AI's hosted fine-tuning, supervised and by preferences."""

    name = "together"
    capabilities = CAPABILITIES

    def rules(self, spec: Spec, model: str) -> Converter:
        """How Together reads an example of `spec`'s data; its rules are the same for every model."""
        return TogetherFormat(spec.target, spec.method)
