"""The hyperparameters as they are used: those that were given, and choices for the rest."""

from __future__ import annotations

import math
from importlib.util import find_spec
from typing import Any, Literal

from ftbridge.errors import MissingExtra, SpecError
from ftbridge.model import Frozen, Hyperparameters, Method
from ftbridge_local.models import Source

_SMALL = 50_000_000  # parameters: a base below has little to forget and much to learn
_FOR_SMALL = {"epochs": 8, "batch_size": 4, "learning_rate": 3e-3}
_FOR_LARGE = {"epochs": 3, "batch_size": 8, "learning_rate": 2e-4}
_MORE_GENTLY = {"sft": {"full": 0.1}, "dpo": {"lora": 0.25, "full": 0.025}}
"""Shares of the learning rate: all weights at once move a model further than an adapter, and preferences need less."""


class Settings(Frozen):
    """What the training loop goes by. `eval_interval` None is: after every epoch, and every 200 steps."""

    epochs: int
    batch_size: int
    learning_rate: float
    warmup_ratio: float = 0.05
    weight_decay: float = 0.0
    seed: int = 0
    tuning: Literal["lora", "rslora", "dora", "qlora", "full"] = "lora"
    lora_rank: int = 16
    lora_alpha: float = 32.0
    lora_dropout: float = 0.0
    max_seq_length: int
    precision: Literal["float32", "bfloat16"] = "float32"
    beta: float = 0.1
    eval_interval: int | None = None
    early_stopping: int | None = None
    devices: int = 1

    def learning_rate_at(self, step: int, steps: int) -> float:
        """Of step 1 to `steps`: rising in a line during the warm-up, then falling to a tenth along a cosine."""
        warmup = round(self.warmup_ratio * steps)
        if step <= warmup:
            return self.learning_rate * step / warmup
        way = (step - warmup) / max(1, steps - warmup)
        return self.learning_rate * (0.55 + 0.45 * math.cos(math.pi * way))

    def due(self, step: int, per_epoch: int, last: int) -> bool:
        """Whether the model is looked at, and kept, after this step."""
        if self.eval_interval:
            return step % self.eval_interval == 0 or step == last
        return step % per_epoch == 0 or step % _OFTEN == 0


_OFTEN = 200  # steps at most between two looks
_OF_ADAPTERS = ("lora_rank", "lora_alpha", "lora_dropout")


def choose(
    given: Hyperparameters, method: Method, *, parameters: int, context: int, halves: bool, adapter: bool
) -> tuple[Settings, str]:
    """Settings for a base of so many parameters that reads `context` tokens; and a sentence on what was chosen.

    `halves`: the device computes faster in bfloat16. `adapter`: an earlier one is gone on with, as it is.
    """
    known = given.given()
    small, tuning = parameters < _SMALL, given.tuning or "lora"
    chosen: dict[str, Any] = dict(_FOR_SMALL if small else _FOR_LARGE)
    chosen["batch_size"] = max(chosen["batch_size"], given.devices or 1)  # none is to be idle
    chosen["learning_rate"] *= _MORE_GENTLY[method].get(tuning if tuning == "full" else "lora", 1.0)
    if halves and not small and tuning != "full":  # all weights, trained in halves, would not move by small steps
        chosen["precision"] = "bfloat16"
    settings = Settings.model_validate({**chosen, **known, "max_seq_length": longest(given, context)})
    beside = set(known) | ({"beta"} if method is Method.SFT else set())
    if tuning == "full" or adapter:
        beside.update(_OF_ADAPTERS)
    if adapter:
        beside.add("tuning")
    free = {name: value for name, value in settings.model_dump(exclude_none=True).items() if name not in beside}
    said = ", ".join(f"{name} = {value}" for name, value in free.items())
    return settings, f"chosen for a base of {parameters / 1e6:.3g} million parameters: {said}" if said else ""


def longest(given: Hyperparameters, context: int) -> int:
    """How many tokens of a row are read at most."""
    return min(given.max_seq_length or context, context)


def check(wanted: Hyperparameters, source: Source) -> None:
    """Raises `SpecError` for what goes against itself or the source, `MissingExtra` where bitsandbytes is absent."""
    if (wanted.devices or 1) > (wanted.batch_size or math.inf):
        raise SpecError(
            f"{wanted.devices} devices cannot share a step of batch_size = {wanted.batch_size}",
            hint="Use fewer devices, or a larger batch_size.",
        )
    if wanted.tuning == "qlora" and find_spec("bitsandbytes") is None:
        raise MissingExtra("tuning = qlora needs bitsandbytes", hint="Run `pip install bitsandbytes`, or use lora.")
    shaped = [name for name in _OF_ADAPTERS if getattr(wanted, name) is not None]
    if shaped and wanted.tuning == "full":
        raise SpecError(
            f"{shaped[0]} shapes an adapter, and this job trains all weights",
            hint=f"Leave {shaped[0]} out, or use --tuning lora.",
        )
    if source.adapter and (shaped or wanted.tuning):
        name = "tuning" if wanted.tuning else shaped[0]
        raise SpecError(
            f"{name} belongs to a new adapter, and this job goes on with that in {source.adapter}",
            hint=f"Leave {name} out, or start from the base, {source.name}.",
        )
