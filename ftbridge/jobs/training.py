"""How a job trains, as far as it was asked for or its events tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ftbridge.model import Event, Job


class Training(NamedTuple):
    """How a job trains: each hyperparameter with its value and its origin, "given" or "chosen"; what it trains.

    `trained` are the weights, and `rows` those that are learned and those that are not, as sentences.
    """

    hyperparameters: dict[str, dict[str, Any]]
    trained: str | None
    rows: str | None

    @classmethod
    def of(cls, job: Job, events: Sequence[Event]) -> Training:
        """By what was given, and the newest events that tell more."""
        given = job.spec.hyperparameters.given()
        used = next((event.hyperparameters for event in reversed(events) if event.hyperparameters), {})
        values = {**given, **used}
        told = {event.code: event.message for event in events if event.code}
        return cls(
            {
                name: {"value": value, "origin": "given" if name in given else "chosen"}
                for name, value in values.items()
            },
            (told.get("trained") or "").removeprefix("trained: ") or None,
            told.get("rows"),
        )
