"""OpenAI as a provider."""

from __future__ import annotations

from ftbridge.dataset.converter import Converter
from ftbridge.model import Method, Spec
from ftbridge.provider import APPLIED, Capabilities, Handling, Provider
from ftbridge_providers.openai.format import OpenAIFormat

_NO_LORA = Handling(
    how="refused",
    note="OpenAI does not say how it adapts the model; epochs and learning_rate_multiplier are what it lets you set.",
)

CAPABILITIES = Capabilities(
    methods=frozenset({Method.SFT, Method.DPO}),
    hyperparameters={
        "epochs": Handling(how="renamed", to="n_epochs"),
        "batch_size": APPLIED,
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
        "max_seq_length": Handling(how="refused", note="OpenAI cuts examples off at the model's own limit."),
        "beta": APPLIED,
    },
)
"""Hyperparameters of the create call: OpenAPI document of 2026-08, `CreateFineTuningJobRequest`."""


class OpenAIProvider(Provider):
    """OpenAI's hosted fine-tuning, supervised and by preferences."""

    name = "openai"
    capabilities = CAPABILITIES

    def rules(self, spec: Spec, model: str) -> Converter:
        """How OpenAI reads an example of `spec`'s data for `model`."""
        return OpenAIFormat(spec.target, model, spec.method)
