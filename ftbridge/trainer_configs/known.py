"""The trainers that configs are written for, and read from."""

from __future__ import annotations

from ftbridge.errors import UsageError
from ftbridge.trainer_configs import axolotl, llama_factory, trl, unsloth
from ftbridge.trainer_configs.trainer import Config, Trainer
from ftbridge.wording import did_you_mean, printable

_ALL = (axolotl.TRAINER, llama_factory.TRAINER, unsloth.TRAINER, trl.TRAINER)
TRAINERS = {trainer.name: trainer for trainer in sorted(_ALL)}


def find_trainer(name: str) -> Trainer:
    """The trainer of that name. Raises `UsageError` for another one."""
    if name in TRAINERS:
        return TRAINERS[name]
    known = ", ".join(TRAINERS)
    hint = f"{did_you_mean(name, TRAINERS)}Known ones: {known}."
    if ":" in name:
        hint = f"--to names a program here: {known}. The model goes to --model."
    raise UsageError(f"{printable(name)} is not a trainer that configs are written for", hint=hint)


def trainer_of(config: Config) -> Trainer | None:
    """The trainer that a config is of, by its keys: more particular ones come first."""
    return next((trainer for trainer in _ALL if trainer.recognises(config)), None)
