"""The hyperparameters as they are used: those that were given, and choices for the rest."""

from __future__ import annotations

import math

from ftbridge.model import Frozen, Hyperparameters

_SMALL = 50_000_000  # parameters: a base below has little to forget and much to learn
_FOR_SMALL = {"epochs": 8, "batch_size": 4, "learning_rate": 3e-3}
_FOR_LARGE = {"epochs": 3, "batch_size": 8, "learning_rate": 2e-4}


class Settings(Frozen):
    """What the training loop goes by."""

    epochs: int
    batch_size: int
    learning_rate: float
    warmup_ratio: float = 0.05
    weight_decay: float = 0.0
    seed: int = 0
    lora_rank: int = 16
    lora_alpha: float = 32.0
    lora_dropout: float = 0.0
    max_seq_length: int

    def learning_rate_at(self, step: int, steps: int) -> float:
        """Of step 1 to `steps`: rising in a line during the warm-up, then falling to a tenth along a cosine."""
        warmup = round(self.warmup_ratio * steps)
        if step <= warmup:
            return self.learning_rate * step / warmup
        way = (step - warmup) / max(1, steps - warmup)
        return self.learning_rate * (0.55 + 0.45 * math.cos(math.pi * way))


def choose(given: Hyperparameters, *, parameters: int, context: int) -> tuple[Settings, str]:
    """Settings for a base of so many parameters that reads `context` tokens; and a sentence on what was chosen."""
    small = parameters < _SMALL
    chosen = {"epochs": 8, "batch_size": 4, "learning_rate": 3e-3}
    if not small:
        chosen = {"epochs": 3, "batch_size": 8, "learning_rate": 2e-4}
    known = given.given()
    settings = Settings.model_validate({**chosen, **known, "max_seq_length": longest(given, context)})
    free = {name: value for name, value in settings.model_dump().items() if name not in known}
    said = ", ".join(f"{name} = {value}" for name, value in free.items())
    return settings, f"chosen for a base of {parameters / 1e6:.3g} million parameters: {said}" if said else ""


def longest(given: Hyperparameters, context: int) -> int:
    """How many tokens of a row are read at most."""
    return min(given.max_seq_length or context, context)
