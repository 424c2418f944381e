"""The hyperparameters that a config is written with: those that are given, and choices for the rest.

The choices are those of the trainer on this machine for a base of more than 50 million parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ftbridge.errors import SpecError
from ftbridge.model import Hyperparameters, Method

_CHOSEN: dict[str, Any] = {
    "epochs": 3,
    "batch_size": 8,
    "learning_rate": 2e-4,
    "warmup_ratio": 0.05,
    "weight_decay": 0.0,
    "seed": 0,
    "tuning": "lora",
    "lora_rank": 16,
    "lora_dropout": 0.0,
    "max_seq_length": 4096,
    "beta": 0.1,
}
_RATE_FACTORS = {(Method.SFT, "full"): 0.1, (Method.DPO, "full"): 0.025}
_FACTOR = {Method.SFT: 1.0, Method.DPO: 0.25}
_ALPHA_PER_RANK = 2
NEED_VALIDATION = ("eval_interval", "early_stopping")
_ADAPTER_SHAPE = ("lora_rank", "lora_alpha", "lora_dropout")
_MOST_AT_ONCE = 4  # rows that go through a model together, where a step has more: they fit most GPUs


def chosen_settings(given: Hyperparameters, method: Method, *, validates: bool = True) -> dict[str, Any]:
    """A value for each hyperparameter that a config needs, and all that are given. Raises `SpecError` for one of
    another method or tuning.
    """
    known = given.given()
    settings = {**_CHOSEN, **known}
    if "learning_rate" not in known:
        settings["learning_rate"] *= _RATE_FACTORS.get((method, settings["tuning"]), _FACTOR[method])
    alpha = settings.get("lora_alpha", _ALPHA_PER_RANK * settings["lora_rank"])
    settings["lora_alpha"] = int(alpha) if float(alpha).is_integer() else alpha
    without = {"beta": "dpo"} if method is Method.SFT else {}
    without |= dict.fromkeys(_ADAPTER_SHAPE, "adapters") if settings["tuning"] == "full" else {}
    for name, whose in without.items():
        if name in known:
            what = f"{name} is a setting of {whose}, and this is {method} with tuning = {settings['tuning']}"
            raise SpecError(what, hint=f"Leave {name} out.")
        del settings[name]
    unused = () if validates else NEED_VALIDATION
    return {name: value for name, value in settings.items() if name not in unused}


class Steps(NamedTuple):
    """How the rows of a step are divided, and how many steps there are."""

    micro_batch: int
    accumulation: int
    steps: int
    warmup_steps: int


def steps_of(settings: Mapping[str, Any], rows: int) -> Steps:
    """For so many rows. Raises `SpecError` where the devices cannot share a step."""
    batch, devices = settings["batch_size"], settings.get("devices") or 1
    if batch % devices:
        raise SpecError(
            f"{devices} devices cannot share a step of batch_size = {batch} evenly",
            hint="Give --batch-size a multiple of --devices.",
        )
    share = batch // devices
    micro = next(size for size in range(min(share, _MOST_AT_ONCE), 0, -1) if share % size == 0)
    steps = settings["epochs"] * -(-rows // batch)
    return Steps(micro, share // micro, steps, round(settings["warmup_ratio"] * steps))
