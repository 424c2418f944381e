"""Create requests at mocked Together: its models, their limits and defaults, and what it refuses."""

from __future__ import annotations

from typing import Any, Literal

from ftbridge.mock.request import OpenBody, request_faults
from ftbridge_providers.together.mock.bodies import Job

BASES = {
    "Qwen/Qwen3-0.6B": 64,
    "Qwen/Qwen3-8B": 64,
    "meta-llama/Meta-Llama-3.1-8B-Instruct-Reference": 64,
    "zai-org/GLM-4.6": 16,
}
"""Some models open for tuning, and the highest rank for each (docs.together.ai, supported models, 2026-06)."""

ADAPTERS_ONLY = {"zai-org/GLM-4.6"}
"""Models that can only be trained by LoRA."""

SUFFIX_LIMIT = 40
LIMITS: dict[str, Any] = {
    "max_num_epochs": 100,
    "max_num_evals": 100,
    "max_num_checkpoints": 100,
    "max_learning_rate": 0.01,
    "min_learning_rate": 1e-8,
    "min_max_seq_length": 64,
    "max_seq_length_sft": 40_960,
    "max_seq_length_dpo": 20_480,
    "default_gradient_accumulation_steps": 1,
    "supports_vision": False,
    "supports_tools": True,
    "supports_reasoning": True,
    "merge_output_lora": True,
}
_BATCH = {"max_batch_size": 64, "max_batch_size_dpo": 32, "min_batch_size": 1}


class CreateJob(OpenBody):
    """The body of `POST /fine-tunes` (OpenAPI document of 2026-04); whether other keys are refused is not known."""

    training_file: str
    validation_file: str | None = None
    model: str | None = None
    from_checkpoint: str | None = None
    n_epochs: int = 1
    n_evals: int = 0
    n_checkpoints: int = 1
    batch_size: int | Literal["max"] = "max"
    learning_rate: float = 1e-5
    warmup_ratio: float = 0.0
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    max_seq_length: int | None = None
    packing: bool = True
    random_seed: int | None = None
    suffix: str = ""
    training_type: dict[str, Any] | None = None
    training_method: dict[str, Any] | None = None


_DEFAULTS = CreateJob(training_file="").model_dump(exclude={"training_file"}, exclude_none=True) | {
    "training_method": {"method": "sft", "train_on_inputs": "auto"}
}


def limits_body(model: str) -> dict[str, Any]:
    """A `FineTuneModelLimits` object."""
    lora = {**_BATCH, "max_rank": BASES[model], "default_rank": 8, "target_modules": ["q_proj", "k_proj", "v_proj"]}
    full = {name: 0 if model in ADAPTERS_ONLY else limit for name, limit in _BATCH.items()}
    supported = {"supports_full_training": model not in ADAPTERS_ONLY, "lora_training": lora, "full_training": full}
    return {**LIMITS, "model_name": model, **supported}


def find_fault(request: dict[str, Any], parent: Job | None) -> tuple[str, str] | None:
    """What is wrong with a request, as message and field; `None` where nothing is."""
    for fault in request_faults(request, CreateJob):
        return f"Invalid value of {fault.name}: {fault.message}", fault.name
    model = parent.model if parent else request.get("model")
    if model not in BASES:
        return f"Model {model} is not available for fine-tuning.", "model"
    lora = request.get("training_type") or {}
    preference = (request.get("training_method") or {}).get("method") == "dpo"
    batch, largest = request.get("batch_size", "max"), _BATCH["max_batch_size_dpo" if preference else "max_batch_size"]
    rules = {
        "suffix": len(request.get("suffix", "")) <= SUFFIX_LIMIT,
        "n_epochs": 1 <= request.get("n_epochs", 1) <= LIMITS["max_num_epochs"],
        "learning_rate": LIMITS["min_learning_rate"] <= request.get("learning_rate", 1e-5) <= 0.01,
        "training_type": lora.get("type") != "Full" or model not in ADAPTERS_ONLY,
        "lora_r": lora.get("type") != "Lora" or 1 <= lora.get("lora_r", 8) <= BASES[str(model)],
        "batch_size": batch == "max" or _BATCH["min_batch_size"] <= batch <= largest,
        "n_evals": request.get("n_evals", 0) <= LIMITS["max_num_evals"],
    }
    broken = [name for name, holds in rules.items() if not holds]
    return (f"Value of {broken[0]} is out of the allowed range.", broken[0]) if broken else None


def with_defaults(request: dict[str, Any], parent: Job | None, lines: int) -> dict[str, Any]:
    """The request with defaults filled in; "max" is a quarter of the file, so that small files have several steps."""
    inherited = parent.request["training_type"] if parent else {"type": "Lora", "lora_r": 8, "lora_alpha": 16}
    filled = {**_DEFAULTS, "training_type": inherited, **request}
    if filled["batch_size"] == "max":
        filled["batch_size"] = max(1, min(_BATCH["max_batch_size"], lines // 4))
    return filled
