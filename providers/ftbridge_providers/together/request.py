"""The body of a create request, and what a model's limits have against it.

The SDK's own `create` is not used: it asks for limits and checks few of them, sends a price estimate
that nobody reads, leaves `training_type` out or not depending on whether it is asynchronous, turns a
learning rate of 0 into 1e-5 and cuts fractions off lora_alpha (together 3.1.1, resources/fine_tuning).
"""

from __future__ import annotations

import re
from typing import Any

from ftbridge.errors import SpecError
from ftbridge.model import Hyperparameters, Method, Spec
from ftbridge.provider import Files

SUFFIX_LIMIT = 40
"""Characters (OpenAPI document of 2026-04, `suffix`)."""


def check_values(spec: Spec) -> None:
    """Raises `SpecError` for a value that Together takes for no model at all."""
    wanted = spec.hyperparameters
    if wanted.beta is not None and spec.method is not Method.DPO:
        raise SpecError("beta is a setting of preference training", hint="Leave it out, or use --method dpo.")
    if wanted.lora_alpha is not None and not wanted.lora_alpha.is_integer():
        raise SpecError(
            f"lora_alpha = {wanted.lora_alpha} is no whole number, which together wants",
            hint=f"Use {round(wanted.lora_alpha) or 1}; it is twice the rank by default.",
        )


def check_limits(spec: Spec, limits: Any) -> None:
    """Raises `SpecError`, with the nearest value, for what is out of the model's limits."""
    wanted, training = spec.hyperparameters, limits.lora_training
    preference = spec.method is Method.DPO
    largest_batch = training.max_batch_size_dpo if preference else training.max_batch_size
    longest = limits.max_seq_length_dpo if preference else limits.max_seq_length_sft
    _within("epochs", wanted.epochs, 1, limits.max_num_epochs)
    _within("learning_rate", wanted.learning_rate, limits.min_learning_rate, limits.max_learning_rate)
    _within("lora_rank", wanted.lora_rank, 1, training.max_rank)
    _within("batch_size", wanted.batch_size, training.min_batch_size, largest_batch)
    _within("max_seq_length", wanted.max_seq_length, limits.min_max_seq_length, longest)


def create_body(
    spec: Spec, model: str, files: Files, limits: Any, *, suffix: str, parent: Any = None
) -> dict[str, Any]:
    """What is sent to `POST /v1/fine-tunes`; `parent` is the job whose checkpoint `model` names."""
    given = spec.hyperparameters.model_dump(exclude_none=True)
    renamed = {"epochs": "n_epochs", "seed": "random_seed"}
    plain = ("epochs", "batch_size", "learning_rate", "warmup_ratio", "weight_decay", "seed", "max_seq_length")
    body: dict[str, Any] = {
        ("from_checkpoint" if parent else "model"): model,
        "training_file": files.training,
        "suffix": suffix,
        "training_type": _training_type(spec.hyperparameters, limits, parent),
        "training_method": _training_method(spec),
        **{renamed.get(name, name): given[name] for name in plain if name in given},
    }
    if files.validation:
        # without a number of evaluations the validation file is never looked at
        epochs = spec.hyperparameters.epochs or 1
        body |= {"validation_file": files.validation, "n_evals": min(epochs, limits.max_num_evals or epochs)}
    return body


def make_suffix(name: str | None, tag: str) -> str:
    """What the tuned model's name will carry: the user's name, as far as it fits, and the tag."""
    plain = re.sub(r"[^A-Za-z0-9-]+", "-", name or "").strip("-")[: SUFFIX_LIMIT - len(tag) - 1].rstrip("-")
    return f"{plain}-{tag}" if plain else tag


def carries(suffix: str | None, tag: str) -> bool:
    """Whether a suffix is one that `make_suffix` makes of `tag`."""
    return suffix is not None and (suffix == tag or suffix.endswith(f"-{tag}"))


def is_checkpoint(model: str) -> bool:
    """Whether a target's model is a job to go on from, with or without a step."""
    return model.startswith("ft-")


def _training_type(wanted: Hyperparameters, limits: Any, parent: Any) -> dict[str, Any]:
    """LoRA, unless the job goes on from one that trained all weights; an unsaid rank is the parent's or the model's."""
    before = parent.training_type if parent else None
    if before and before.type == "Full":
        if wanted.lora_rank or wanted.lora_alpha or wanted.lora_dropout:
            raise SpecError(
                f"job {parent.id} trained all weights, and so must what goes on from it",
                hint="Leave lora_rank, lora_alpha and lora_dropout out.",
            )
        return {"type": "Full"}
    training = limits.lora_training
    rank = wanted.lora_rank or (before.lora_r if before else None) or training.default_rank or training.max_rank
    return {
        "type": "Lora",
        "lora_r": rank,
        "lora_alpha": int(wanted.lora_alpha or 2 * rank),
        "lora_dropout": wanted.lora_dropout or 0.0,
        "lora_trainable_modules": "all-linear",
    }


def _training_method(spec: Spec) -> dict[str, Any]:
    if spec.method is Method.DPO:
        beta = spec.hyperparameters.beta
        return {"method": "dpo", **({"dpo_beta": beta} if beta is not None else {})}
    return {"method": "sft", "train_on_inputs": "auto"}


def _within(name: str, value: float | None, least: float | None, most: float | None) -> None:
    """A limit that the vendor does not give, or gives as 0, limits nothing."""
    if value is None or ((least or value) <= value <= (most or value)):
        return
    nearest = least if least and value < least else most
    raise SpecError(
        f"{name} = {value:g} is out of what together takes for this model", hint=f"The nearest it takes is {nearest:g}."
    )
