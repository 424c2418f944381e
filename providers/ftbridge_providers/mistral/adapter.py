"""Mistral as a provider."""

from __future__ import annotations

from ftbridge.dataset.converter import Converter
from ftbridge.model import Method, Spec
from ftbridge.provider import APPLIED, Capabilities, Handling, Provider
from ftbridge_providers.mistral.format import MistralFormat

_NO_LORA = Handling(how="refused", note="Mistral chooses the adapter itself; learning_rate and epochs can be set.")

CAPABILITIES = Capabilities(
    methods=frozenset({Method.SFT}),
    hyperparameters={
        "epochs": APPLIED,
        "batch_size": Handling(how="refused", note="Mistral chooses the batch itself; epochs sets the amount."),
        "learning_rate": APPLIED,
        "learning_rate_multiplier": Handling(how="refused", note="Mistral takes an absolute learning_rate."),
        "warmup_ratio": Handling(how="renamed", to="warmup_fraction"),
        "weight_decay": APPLIED,
        "seed": Handling(how="refused", note="Mistral's runs cannot be seeded."),
        "lora_rank": _NO_LORA,
        "lora_alpha": _NO_LORA,
        "lora_dropout": _NO_LORA,
        "max_seq_length": Handling(how="renamed", to="seq_len"),
        "beta": Handling(how="refused", note="Mistral trained by supervised fine-tuning only."),
    },
)
"""Hyperparameters of the create call: the last OpenAPI document with jobs, `CompletionTrainingParametersIn`."""


class MistralProvider(Provider):
    """Mistral's hosted fine-tuning, supervised only."""

    name = "mistral"
    capabilities = CAPABILITIES

    def rules(self, spec: Spec, model: str) -> Converter:
        """How Mistral reads an example of `spec`'s data for `model`."""
        return MistralFormat(spec.target, model)
