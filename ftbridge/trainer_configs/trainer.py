"""What is known of a trainer, in one form for all, and what is given to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ftbridge.dataset.converter import Converter
from ftbridge.model import Method
from ftbridge.trainer_configs.config_keys import ConfigKeys
from ftbridge.trainer_configs.survey import Survey

Config = dict[str, Any]

TRAIN, VALIDATION, CONFIG = "train.jsonl", "validation.jsonl", "config.yaml"
ALL_CARRY = ("batch_size", "warmup_ratio", "tuning", "devices")
"""Hyperparameters that every trainer has in some form."""


class Plan(NamedTuple):
    """A job as it is to be written: `settings` are hyperparameters by ftbridge's names, given or chosen.

    `model` is what transformers loads it by. `steps` are those of all epochs, `warmup_steps` those in which the
    learning rate rises; a step takes `batch_size` rows: `micro_batch` at a time on each device, `accumulation` times.
    """

    model: str
    method: Method
    rows: Survey
    settings: Mapping[str, Any]
    validation: bool
    steps: int
    warmup_steps: int
    micro_batch: int
    accumulation: int

    @property
    def steps_per_epoch(self) -> int:
        """How many steps there are in each pass over the rows."""
        return self.steps // int(self.settings["epochs"])

    @property
    def tuning(self) -> str:
        """Which weights are trained."""
        return str(self.settings["tuning"])

    @property
    def peft_flags(self) -> Config:
        """PEFT's names for the kinds of adapters that have one, where this is one of them."""
        return {f"use_{self.tuning}": True} if self.tuning in ("rslora", "dora") else {}

    def named(self, keys: Mapping[str, str]) -> Config:
        """The settings under the trainer's own names, in the order of `keys`."""
        return {theirs: self.settings[ours] for ours, theirs in keys.items() if ours in self.settings}


class Trainer(NamedTuple):
    """One trainer.

    `carries` are the hyperparameters that its config can express. `check` raises `SpecError` for a job that it cannot
    do, `converter` makes its rows, `config` its config and `companions` other files of JSON; `notes` are sentences on
    what is different there. `recognises` tells by its keys whether a config is of this trainer, and `read` takes from
    it what ftbridge has a word for. `aside` are keys without meaning for what is learned. `validates` says whether its
    config can name a validation file, and `folder` is where the rows are, in that of the config.
    """

    name: str
    checked_with: str
    install: str
    command: Callable[[Plan], str]
    carries: frozenset[str]
    converter: Callable[[Method, Survey], Converter]
    config: Callable[[Plan], Config]
    recognises: Callable[[Config], bool]
    read: Callable[[ConfigKeys], None]
    aside: frozenset[str]
    check: Callable[[Method, Survey, Mapping[str, Any]], object] = lambda method, rows, settings: None
    companions: Callable[[Plan], dict[str, Any]] = lambda plan: {}
    notes: Callable[[Plan], list[str]] = lambda plan: []
    validates: bool = True
    folder: str = ""
