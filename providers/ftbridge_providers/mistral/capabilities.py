"""The hyperparameters of Mistral's create call."""

from __future__ import annotations

from ftbridge.model import Method
from ftbridge.provider import APPLIED, Capabilities, Handling

_NO_LORA = Handling(how="refused", note="Mistral chooses the adapter itself; learning_rate and epochs can be set.")

_NO_RFT = Handling(how="refused", note="Mistral trained by supervised fine-tuning only.")

CAPABILITIES = Capabilities(
    methods=frozenset({Method.SFT}),
    hyperparameters={
        "epochs": APPLIED,
        "batch_size": Handling(how="refused", note="Mistral chooses the batch itself; epochs sets the amount."),
        "learning_rate": Handling(how="applied", minimum=1e-8, maximum=1),
        "learning_rate_multiplier": Handling(how="refused", note="Mistral takes an absolute learning_rate."),
        "warmup_ratio": Handling(how="renamed", to="warmup_fraction"),
        "weight_decay": APPLIED,
        "seed": Handling(how="refused", note="Mistral's runs cannot be seeded."),
        "lora_rank": _NO_LORA,
        "lora_alpha": _NO_LORA,
        "lora_dropout": _NO_LORA,
        "tuning": _NO_LORA,
        "max_seq_length": Handling(how="renamed", to="seq_len", minimum=100),
        "beta": Handling(how="refused", note="Mistral trained by supervised fine-tuning only."),
        "reasoning_effort": _NO_RFT,
        "compute_multiplier": _NO_RFT,
        "eval_interval": _NO_RFT,
        "eval_samples": _NO_RFT,
    },
    verbs=frozenset({"cancel", "chat", "list_models", "delete"}),
    keeps={"job": "mistral's API deletes no jobs: it keeps the settings and the events, not the rows"},
)
"""Hyperparameters of the create call: the last OpenAPI document with jobs, `CompletionTrainingParametersIn`.

Its checkpoints are metrics without a model, and so are events here, and `checkpoints` is not offered.
"""
