"""The curves of a job, from its events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from ftbridge.model import Event

Points = list[tuple[int, float]]

LOSSES = MappingProxyType({"loss": "train_loss", "validation loss": "valid_loss"})
REWARDS = MappingProxyType({"reward": "train_reward", "validation reward": "valid_reward"})
"""The fields of events that make curves, by display name."""


def read_curves(events: Iterable[Event], fields: Mapping[str, str] = LOSSES) -> dict[str, Points]:
    """Those that have points, by step; of a step that was repeated, the last value counts."""
    curves: dict[str, dict[int, float]] = {name: {} for name in fields}
    for event in events:
        for name, field in fields.items():
            value = getattr(event, field)
            if value is not None and event.step is not None:
                curves[name][event.step] = value
    return {name: sorted(points.items()) for name, points in curves.items() if points}
