"""Detecting from a job's metrics, at any provider, when the model begins to overfit."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean
from typing import NamedTuple

from ftbridge.model import Event

_WORSE = 1.01  # times the lowest validation loss: less may be chance
_POINTS = 2  # so many in a row: one may be chance as well
CODE = "overfitting"


class ValidationPoint(NamedTuple):
    """A validation loss, and the mean training loss since the point before it; means per token, in nats."""

    step: int
    valid_loss: float
    train_loss: float | None


def detect_overfitting(known: Iterable[Event], found: Iterable[Event]) -> list[Event]:
    """A message, once in a job, when the validation loss keeps rising while the training loss falls.

    `known` are the job's events so far, `found` the new ones.
    """
    known, found = list(known), list(found)
    validated = [event for event in found if event.valid_loss is not None]
    if not validated or any(event.code == CODE for event in known):
        return []
    points = validation_points([*known, *found])
    if not points:  # a vendor may report losses without their steps
        return []
    best = min(points, key=lambda point: point.valid_loss)
    since = [point for point in points if point.step > best.step]
    rising = len(since) >= _POINTS and all(point.valid_loss > _WORSE * best.valid_loss for point in since)
    last = points[-1]
    if not rising or best.train_loss is None or last.train_loss is None or last.train_loss >= best.train_loss:
        return []
    message = (
        f"overfitting since step {best.step}: the validation loss has risen from {best.valid_loss:.3f} to "
        f"{last.valid_loss:.3f} while the training loss fell to {last.train_loss:.3f}; fewer epochs would do"
    )
    return [Event(at=validated[-1].at, kind="message", code=CODE, step=last.step, message=message)]


def validation_points(events: Iterable[Event]) -> list[ValidationPoint]:
    """The validation losses, oldest first; of a step that was repeated the last one counts."""
    by_step: dict[int, Event] = {}
    for event in events:
        if event.kind == "metric" and event.step is not None:
            by_step[event.step] = event
    points: list[ValidationPoint] = []
    between: list[float] = []
    for step, event in sorted(by_step.items()):
        if event.train_loss is not None:
            between.append(event.train_loss)
        if event.valid_loss is not None:
            points.append(ValidationPoint(step, event.valid_loss, fmean(between) if between else None))
            between = []
    return points
