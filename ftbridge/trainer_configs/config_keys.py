"""The keys of another trainer's config: each is taken once, and what is left has not been understood."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ftbridge.model import Frozen, Method

SCHEDULE = "ftbridge's learning rate falls along a cosine to a tenth"
_SECRET = re.compile(r"(^|_)(token|secret|password|api_key)$")  # what the value of such a key is, nobody is shown


class NotCarried(Frozen):
    """A key of the config that a job of ftbridge has no place for."""

    key: str
    value: Any
    why: str


class ConfigKeys:
    """A config in a `folder`, or a section of it, while it is read, and what was found in it, by ftbridge's names.

    `data` and `validation` are files as the config names them; `warmup_steps` becomes a ratio once the number of
    rows is known.
    """

    def __init__(self, config: Mapping[str, Any], folder: Path = Path(), section: str = "") -> None:
        self.folder, self._section = folder, section
        self.left = {str(key): value for key, value in config.items() if value is not None}
        self.model: str | None = None
        self.data: str | None = None
        self.validation: str | None = None
        self.method = Method.SFT
        self.settings: dict[str, Any] = {}
        self.warmup_steps: int | None = None
        self.not_carried: list[NotCarried] = []

    def take(self, key: str, default: Any = None) -> Any:
        """The value of a key, which is then done with."""
        return self.left.pop(key, default)

    def take_settings(self, keys: Mapping[str, str]) -> None:
        """Take the hyperparameters that the trainer has under these names."""
        for ours, theirs in keys.items():
            if (value := self.take(theirs)) is not None:
                self.settings[ours] = value

    def expect(self, key: str, values: Sequence[Any], why: str) -> None:
        """Take a key that ftbridge has no word for, but always does as one of `values` says."""
        value = self.take(key)
        if value is not None and value not in values:
            self.leave(key, value, why)

    def leave(self, key: str, value: Any, why: str) -> None:
        """Name what is not carried over."""
        key = f"{self._section}.{key}" if self._section else key
        self.not_carried.append(NotCarried(key=key, value="…" if _SECRET.search(key) else value, why=why))

    def take_batch(self, micro: str, accumulation: str = "gradient_accumulation_steps") -> None:
        """The rows of a step, on one device: so many at a time, so many times."""
        each, times = self.take(micro), self.take(accumulation)
        if each is not None or times is not None:
            self.settings["batch_size"] = (each or 1) * (times or 1)

    def take_warmup(self) -> None:
        """The warm-up, as a number of steps or, in older configs, as their share."""
        if (ratio := self.take("warmup_ratio")) is not None:
            self.settings["warmup_ratio"] = ratio
        if steps := self.take("warmup_steps"):
            self.warmup_steps = steps

    def take_adapter(self, *, four_bits: bool, prefix: str = "") -> str:
        """Which kind of adapter is trained, by PEFT's names for the kinds, with the trainer's `prefix`."""
        rslora, dora = self.take(f"{prefix}use_rslora", False), self.take(f"{prefix}use_dora", False)
        return "qlora" if four_bits else "rslora" if rslora else "dora" if dora else "lora"

    def section(self, key: str) -> ConfigKeys:
        """The keys of a section; what is left of it is left under its name."""
        found = self.take(key)
        inner = ConfigKeys(found if isinstance(found, Mapping) else {}, self.folder, key)
        inner.settings, inner.not_carried = self.settings, self.not_carried
        return inner

    def put_back(self, key: str, section: ConfigKeys) -> None:
        """What was not understood of a section, under its name."""
        self.left |= {f"{key}.{inner}": value for inner, value in section.left.items()}
