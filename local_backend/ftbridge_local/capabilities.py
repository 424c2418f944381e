"""What our own trainer can do, wherever it runs."""

from __future__ import annotations

from ftbridge.model import Method
from ftbridge.provider import APPLIED, Capabilities, Handling

_APPLIED = (
    *("epochs", "batch_size", "learning_rate", "warmup_ratio", "weight_decay", "seed", "eval_interval"),
    *("lora_rank", "lora_alpha", "lora_dropout", "tuning", "max_seq_length", "precision", "early_stopping"),
    *("devices", "train_reasoning"),
)

CAPABILITIES = Capabilities(
    gives_weights=True,
    gives_tool_calls=False,
    continues="model",
    methods=frozenset({Method.SFT, Method.DPO, Method.DISTILL}),
    hyperparameters={
        **dict.fromkeys(_APPLIED, APPLIED),
        "learning_rate_multiplier": Handling(how="refused", note="Leave it out; learning_rate is absolute."),
        "beta": Handling(how="applied", methods=frozenset({Method.DPO})),
        "temperature": Handling(how="applied", methods=frozenset({Method.DISTILL})),
    },
    verbs=frozenset(
        {"cancel", "pause", "resume", "checkpoints", "chat", "losses", "export", "delete", "renderer", "verifier"}
    ),
)
