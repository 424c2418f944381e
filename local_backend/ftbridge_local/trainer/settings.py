"""The hyperparameters that a job trains with: those that were given, and choices for the rest."""

from __future__ import annotations

import math
from importlib.util import find_spec
from typing import Any, Literal

from ftbridge.errors import MissingExtra, SpecError
from ftbridge.model import Frozen, Hyperparameters, Method
from ftbridge_local.models.source import Source
from ftbridge_local.tokenizing.tokenizer import Tokenizer

_SMALL = 50_000_000  # parameters: a base below has little to forget and much to learn
_FOR_SMALL = {"epochs": 8, "batch_size": 4, "learning_rate": 3e-3}
_FOR_LARGE = {"epochs": 3, "batch_size": 8, "learning_rate": 2e-4}
_RATE_FACTORS = {"sft": {"full": 0.1}, "dpo": {"lora": 0.25, "full": 0.025}, "distill": {"full": 0.1}}
"""Factors of the learning rate: training all weights moves a model further than an adapter, and DPO needs less."""
_MAX_EVAL_INTERVAL = 200  # steps
_RANK, _ALPHA_PER_RANK = 16, 2.0
_OF_METHOD = {"beta": Method.DPO, "temperature": Method.DISTILL}
_ADAPTER_SHAPE = ("lora_rank", "lora_alpha", "lora_dropout")


class Settings(Frozen):
    """What the training loop uses. Without `eval_interval` it evaluates after every epoch, and every 200 steps."""

    epochs: int
    batch_size: int
    learning_rate: float
    warmup_ratio: float = 0.05
    weight_decay: float = 0.0
    seed: int = 0
    tuning: Literal["lora", "rslora", "dora", "qlora", "full"] = "lora"
    lora_rank: int = _RANK
    lora_alpha: float = _ALPHA_PER_RANK * _RANK
    lora_dropout: float = 0.0
    max_seq_length: int
    precision: Literal["float32", "bfloat16"] = "float32"
    beta: float = 0.1
    temperature: float = 1.0
    eval_interval: int | None = None
    early_stopping: int | None = None
    devices: int = 1
    train_reasoning: bool = True

    def learning_rate_at(self, step: int, steps: int) -> float:
        """Of step 1 to `steps`: rising linearly during the warm-up, then falling to a tenth along a cosine."""
        warmup = round(self.warmup_ratio * steps)
        if step <= warmup:
            return self.learning_rate * step / warmup
        fraction = (step - warmup) / max(1, steps - warmup)
        return self.learning_rate * (0.55 + 0.45 * math.cos(math.pi * fraction))

    def evaluation_due(self, step: int, steps_per_epoch: int, steps: int) -> bool:
        """Whether the model is evaluated and saved after this step."""
        if self.eval_interval:
            return step % self.eval_interval == 0 or step == steps
        return step % steps_per_epoch == 0 or step % _MAX_EVAL_INTERVAL == 0


def choose(
    given: Hyperparameters, method: Method, *, parameters: int, context: int, prefers_bf16: bool, adapter: bool
) -> tuple[Settings, str]:
    """Settings for a base of so many parameters that reads `context` tokens; and a sentence on what was chosen.

    `adapter`: an earlier one is trained further, in its own shape.
    """
    known = given.given()
    small, tuning = parameters < _SMALL, given.tuning or "lora"
    chosen: dict[str, Any] = dict(_FOR_SMALL if small else _FOR_LARGE)
    chosen["batch_size"] = max(chosen["batch_size"], given.devices or 1)  # no device is to be idle
    chosen["learning_rate"] *= _RATE_FACTORS[method].get(tuning if tuning == "full" else "lora", 1.0)
    if prefers_bf16 and not small and tuning != "full":  # weights in bfloat16 would not move by small steps
        chosen["precision"] = "bfloat16"
    if given.lora_rank:  # an update of the same size as at the rank that is chosen otherwise
        chosen["lora_alpha"] = _ALPHA_PER_RANK * given.lora_rank
    settings = Settings.model_validate({**chosen, **known, "max_seq_length": max_length(given, context)})
    used = in_use(settings, method, adapter=adapter)
    listed = ", ".join(f"{name} = {value}" for name, value in used.items() if name not in known)
    return settings, f"chosen for a base of {parameters / 1e6:.3g} million parameters: {listed}" if listed else ""


def in_use(settings: Settings, method: Method, *, adapter: bool) -> dict[str, int | float | str]:
    """The settings that matter for this job, by name; an `adapter` that is trained further has its own shape."""
    hidden = {name for name, its in _OF_METHOD.items() if its is not method}
    if settings.train_reasoning:
        hidden.add("train_reasoning")
    if settings.tuning == "full" or adapter:
        hidden.update(_ADAPTER_SHAPE)
    if adapter:
        hidden.add("tuning")
    return {name: value for name, value in settings.model_dump(exclude_none=True).items() if name not in hidden}


def tokenizer_for(source: Source, given: Hyperparameters) -> Tokenizer:
    """The tokenizer with which a job reads its rows: it trains reasoning unless that is switched off."""
    return Tokenizer(source.tokenizer, train_reasoning=given.train_reasoning is not False)


def max_length(given: Hyperparameters, context: int) -> int:
    """How many tokens of a row are read at most."""
    return min(given.max_seq_length or context, context)


def check(wanted: Hyperparameters, source: Source, *, here: bool = True) -> None:
    """Raises `SpecError` for contradictory settings, `MissingExtra` where bitsandbytes is needed `here` and absent."""
    if (wanted.devices or 1) > (wanted.batch_size or math.inf):
        raise SpecError(
            f"{wanted.devices} devices cannot share a step of batch_size = {wanted.batch_size}",
            hint="Use fewer devices, or a larger batch_size.",
        )
    if here and wanted.tuning == "qlora" and find_spec("bitsandbytes") is None:
        raise MissingExtra("tuning = qlora needs bitsandbytes", hint="Run `pip install bitsandbytes`, or use lora.")
    shape = [name for name in _ADAPTER_SHAPE if getattr(wanted, name) is not None]
    if shape and wanted.tuning == "full":
        raise SpecError(
            f"{shape[0]} is a setting of adapters, and this job trains all weights",
            hint=f"Leave {shape[0]} out, or use --tuning lora.",
        )
    if source.adapter and (shape or wanted.tuning):
        name = "tuning" if wanted.tuning else shape[0]
        raise SpecError(
            f"{name} belongs to a new adapter, and this job continues the one in {source.adapter}",
            hint=f"Leave {name} out, or start from the base, {source.name}.",
        )
