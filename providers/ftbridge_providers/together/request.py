"""Together's hyperparameters, the body of a create request, and its check against a model's limits.

The SDK's own `create` is not used: it reads limits and checks few of them, requests a price estimate
that nothing uses, sends `training_type` or not depending on whether it is asynchronous, turns a
learning rate of 0 into 1e-5 and truncates lora_alpha to an integer (together 3.1.1, resources/fine_tuning).
"""

from __future__ import annotations

from typing import Any

from ftbridge.errors import SpecError
from ftbridge.model import Hyperparameters, Method, Spec
from ftbridge.provider import APPLIED, Capabilities, Files, Handling

SUFFIX_LIMIT = 40
"""Characters (OpenAPI document of 2026-04, `suffix`)."""

_NO_RFT = Handling(how="refused", note="Together offers no reinforcement; --method dpo trains on preferences.")

CAPABILITIES = Capabilities(
    gives_weights=True,
    continues="job",
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
        "tuning": Handling(how="renamed", to="training_type", choices=("lora", "full")),
        "max_seq_length": APPLIED,
        "beta": Handling(how="renamed", to="dpo_beta", methods=frozenset({Method.DPO})),
        "reasoning_effort": _NO_RFT,
        "compute_multiplier": _NO_RFT,
        "eval_interval": Handling(how="refused", note="Together evaluates once an epoch."),
        "eval_samples": _NO_RFT,
    },
    verbs=frozenset({"cancel", "checkpoints", "chat", "list_models", "delete"}),
)
"""Hyperparameters of the create call: Together's OpenAPI document of 2026-04, `POST /fine-tunes`."""

ESTIMATE_FIELDS = (
    "model",
    "from_checkpoint",
    "training_file",
    "validation_file",
    "n_epochs",
    "n_evals",
    "training_type",
    "training_method",
)
"""The fields of a create request that `POST /fine-tunes/estimate-price` takes (OpenAPI document of 2026-04)."""


def check_values(spec: Spec) -> None:
    """Raises `SpecError` for a value that Together refuses for every model."""
    given = spec.hyperparameters
    if given.lora_alpha is not None and not given.lora_alpha.is_integer():
        raise SpecError(
            f"lora_alpha = {given.lora_alpha} is not a whole number, which together requires",
            hint=f"Use {round(given.lora_alpha) or 1}; it is twice the rank by default.",
        )
    if given.tuning == "full":
        _refuse_lora(given)


def check_limits(spec: Spec, limits: Any, *, full: bool) -> None:
    """Raises `SpecError`, with the nearest valid value, for what exceeds the model's limits."""
    given, preference = spec.hyperparameters, spec.method is Method.DPO
    if full and not (limits.supports_full_training and limits.full_training):
        raise SpecError(
            f"together does not train all weights of {limits.api_model_name}",
            hint="Use --tuning lora, or choose another model.",
        )
    if full:
        _refuse_lora(given)
    training = limits.full_training if full else limits.lora_training
    largest_batch = training.max_batch_size_dpo if preference else training.max_batch_size
    longest = limits.max_seq_length_dpo if preference else limits.max_seq_length_sft
    _within("epochs", given.epochs, 1, limits.max_num_epochs)
    _within("learning_rate", given.learning_rate, limits.min_learning_rate, limits.max_learning_rate)
    _within("lora_rank", given.lora_rank, 1, limits.lora_training.max_rank)
    _within("batch_size", given.batch_size, training.min_batch_size, largest_batch)
    _within("max_seq_length", given.max_seq_length, limits.min_max_seq_length, longest)


def is_full_training(spec: Spec, parent: Any) -> bool:
    """Whether all weights are trained: by the spec, or else by the job that is continued; LoRA by default."""
    if spec.hyperparameters.tuning:
        return spec.hyperparameters.tuning == "full"
    inherited = parent.training_type if parent else None
    return bool(inherited and inherited.type == "Full")


def create_body(
    spec: Spec, model: str, files: Files, limits: Any, *, suffix: str, parent: Any = None
) -> dict[str, Any]:
    """The body of `POST /v1/fine-tunes`; `parent` is the job whose checkpoint `model` names."""
    given = spec.hyperparameters.model_dump(exclude_none=True)
    renamed = {"epochs": "n_epochs", "seed": "random_seed"}
    copied = ("epochs", "batch_size", "learning_rate", "warmup_ratio", "weight_decay", "seed", "max_seq_length")
    body: dict[str, Any] = {
        ("from_checkpoint" if parent else "model"): model,
        "training_file": files.training,
        "suffix": suffix,
        "training_type": _training_type(spec, limits, parent),
        "training_method": _training_method(spec),
        **{renamed.get(name, name): given[name] for name in copied if name in given},
    }
    if files.validation:
        # without a number of evaluations the validation file is never used
        epochs = spec.hyperparameters.epochs or 1
        body |= {"validation_file": files.validation, "n_evals": min(epochs, limits.max_num_evals or epochs)}
    return body


def has_tag(suffix: str | None, tag: str) -> bool:
    """Whether `ftbridge.provider.hosted.make_suffix` makes this suffix of `tag`."""
    return suffix is not None and (suffix == tag or suffix.endswith(f"-{tag}"))


def is_checkpoint(model: str) -> bool:
    """Whether a target's model is a job to continue from, with or without a step."""
    return model.startswith("ft-")


def _training_type(spec: Spec, limits: Any, parent: Any) -> dict[str, Any]:
    """Always sent, since defaults differ between clients; a rank that is not given is the parent's or the model's."""
    given, training = spec.hyperparameters, limits.lora_training
    if is_full_training(spec, parent):
        return {"type": "Full"}
    parent_type = parent.training_type if parent else None
    inherited = parent_type.lora_r if parent_type and parent_type.type == "Lora" else None
    rank = given.lora_rank or inherited or training.default_rank or training.max_rank
    return {
        "type": "Lora",
        "lora_r": rank,
        "lora_alpha": int(given.lora_alpha or 2 * rank),
        "lora_dropout": given.lora_dropout or 0.0,
        "lora_trainable_modules": "all-linear",
    }


def _refuse_lora(given: Hyperparameters) -> None:
    for name in ("lora_rank", "lora_alpha", "lora_dropout"):
        if getattr(given, name) is not None:
            raise SpecError(
                f"{name} is a setting of LoRA, and this job trains all weights",
                hint=f"Leave {name} out, or use --tuning lora.",
            )


def _training_method(spec: Spec) -> dict[str, Any]:
    if spec.method is Method.DPO:
        beta = spec.hyperparameters.beta
        return {"method": "dpo", **({"dpo_beta": beta} if beta is not None else {})}
    return {"method": "sft", "train_on_inputs": "auto"}


def _within(name: str, value: float | None, least: float | None, most: float | None) -> None:
    """Raises `SpecError` for a value out of its limits; a limit of 0 or `None` is none."""
    if value is None or ((least or value) <= value <= (most or value)):
        return
    nearest = least if least and value < least else most
    raise SpecError(
        f"{name} = {value:g} is outside the range of together for this model",
        hint=f"The nearest it takes is {nearest:g}.",
    )
