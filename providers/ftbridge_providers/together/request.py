"""What Together takes: the hyperparameters, the body of a create request, and what a model's limits have against it.

The SDK's own `create` is not used: it asks for limits and checks few of them, sends a price estimate
that nobody reads, leaves `training_type` out or not depending on whether it is asynchronous, turns a
learning rate of 0 into 1e-5 and cuts fractions off lora_alpha (together 3.1.1, resources/fine_tuning).
"""

from __future__ import annotations

from typing import Any

from ftbridge.errors import SpecError
from ftbridge.model import Hyperparameters, Method, Spec
from ftbridge.provider import APPLIED, Capabilities, Files, Handling

SUFFIX_LIMIT = 40
"""Characters (OpenAPI document of 2026-04, `suffix`)."""

_NO_RFT = Handling(
    how="refused", note="Together has no reinforcement; --method dpo learns from better and worse answers."
)

CAPABILITIES = Capabilities(
    gives_weights=True,
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
        "eval_interval": _NO_RFT,
        "eval_samples": _NO_RFT,
    },
    verbs=frozenset({"cancel", "checkpoints", "chat", "list_models", "delete"}),
)
"""Hyperparameters of the create call: Together's OpenAPI document of 2026-04, `POST /fine-tunes`."""

ESTIMATED_BY = (
    "model",
    "from_checkpoint",
    "training_file",
    "validation_file",
    "n_epochs",
    "n_evals",
    "training_type",
    "training_method",
)
"""What of a create request the price depends on (OpenAPI document of 2026-04, `POST /fine-tunes/estimate-price`)."""


def check_values(spec: Spec) -> None:
    """Raises `SpecError` for a value that Together takes for no model at all."""
    wanted = spec.hyperparameters
    if wanted.lora_alpha is not None and not wanted.lora_alpha.is_integer():
        raise SpecError(
            f"lora_alpha = {wanted.lora_alpha} is no whole number, which together wants",
            hint=f"Use {round(wanted.lora_alpha) or 1}; it is twice the rank by default.",
        )
    if wanted.tuning == "full":
        _refuse_lora(wanted)


def check_limits(spec: Spec, limits: Any, *, whole: bool) -> None:
    """Raises `SpecError`, with the nearest value, for what is out of the model's limits; `whole` is full training."""
    wanted, preference = spec.hyperparameters, spec.method is Method.DPO
    if whole and not (limits.supports_full_training and limits.full_training):
        raise SpecError(
            f"together does not train all weights of {limits.api_model_name}",
            hint="The nearest it takes is --tuning lora; or choose another model.",
        )
    if whole:
        _refuse_lora(wanted)
    training = limits.full_training if whole else limits.lora_training
    largest_batch = training.max_batch_size_dpo if preference else training.max_batch_size
    longest = limits.max_seq_length_dpo if preference else limits.max_seq_length_sft
    _within("epochs", wanted.epochs, 1, limits.max_num_epochs)
    _within("learning_rate", wanted.learning_rate, limits.min_learning_rate, limits.max_learning_rate)
    _within("lora_rank", wanted.lora_rank, 1, limits.lora_training.max_rank)
    _within("batch_size", wanted.batch_size, training.min_batch_size, largest_batch)
    _within("max_seq_length", wanted.max_seq_length, limits.min_max_seq_length, longest)


def trains_all(spec: Spec, parent: Any) -> bool:
    """Whether all weights are trained: as was asked for, else as the job was that is gone on from, else not."""
    if spec.hyperparameters.tuning:
        return spec.hyperparameters.tuning == "full"
    before = parent.training_type if parent else None
    return bool(before and before.type == "Full")


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
        "training_type": _training_type(spec, limits, parent),
        "training_method": _training_method(spec),
        **{renamed.get(name, name): given[name] for name in plain if name in given},
    }
    if files.validation:
        # without a number of evaluations the validation file is never looked at
        epochs = spec.hyperparameters.epochs or 1
        body |= {"validation_file": files.validation, "n_evals": min(epochs, limits.max_num_evals or epochs)}
    return body


def carries(suffix: str | None, tag: str) -> bool:
    """Whether a suffix is one that `ftbridge.provider.hosted.make_suffix` makes of `tag`."""
    return suffix is not None and (suffix == tag or suffix.endswith(f"-{tag}"))


def is_checkpoint(model: str) -> bool:
    """Whether a target's model is a job to go on from, with or without a step."""
    return model.startswith("ft-")


def _training_type(spec: Spec, limits: Any, parent: Any) -> dict[str, Any]:
    """Always said, since an SDK's silence means one thing or another; an unsaid rank is the parent's or the model's."""
    wanted, training = spec.hyperparameters, limits.lora_training
    if trains_all(spec, parent):
        return {"type": "Full"}
    before = parent.training_type if parent else None
    inherited = before.lora_r if before and before.type == "Lora" else None
    rank = wanted.lora_rank or inherited or training.default_rank or training.max_rank
    return {
        "type": "Lora",
        "lora_r": rank,
        "lora_alpha": int(wanted.lora_alpha or 2 * rank),
        "lora_dropout": wanted.lora_dropout or 0.0,
        "lora_trainable_modules": "all-linear",
    }


def _refuse_lora(wanted: Hyperparameters) -> None:
    for name in ("lora_rank", "lora_alpha", "lora_dropout"):
        if getattr(wanted, name) is not None:
            raise SpecError(
                f"{name} shapes an adapter, and this job trains all weights",
                hint=f"Leave {name} out, or use --tuning lora.",
            )


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
        f"{name} = {value:g} is outside the range of together for this model",
        hint=f"The nearest it takes is {nearest:g}.",
    )
