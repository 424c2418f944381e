"""The script of a mocked job: everything that will happen to it, written when it is created.

The state of a job at any time is the part of its script before that time, so a mock needs no
background work, and a later process sees the same job.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from ftbridge.model import Status


class Moment(Struct, frozen=True, omit_defaults=True):
    """What happens at `at` (seconds since 1970): a change of status, a metric, a checkpoint."""

    at: float
    status: Status | None = None
    step: int = 0
    train_loss: float | None = None
    valid_loss: float | None = None
    token_accuracy: float | None = None
    checkpoint: bool = False


class Script(Struct, frozen=True):
    """All moments in order, and, while the job is paused, those that are held back."""

    moments: tuple[Moment, ...]
    steps: int
    epochs: int
    held: tuple[Moment, ...] = ()

    def until(self, now: float) -> list[Moment]:
        """What has happened by `now`."""
        return [moment for moment in self.moments if moment.at <= now]

    def status(self, now: float) -> Status:
        """The job's status at `now`."""
        return [moment.status for moment in self.until(now) if moment.status][-1]

    def cut(self, now: float, status: Status) -> Script:
        """The script of a job that ends at `now` with `status`."""
        return replace(self, moments=(*self.until(now), Moment(at=now, status=status)), held=())

    def pause(self, now: float) -> Script:
        """The script of a job that is paused at `now`."""
        rest = tuple(replace(moment, at=moment.at - now) for moment in self.moments if moment.at > now)
        return replace(self, moments=(*self.until(now), Moment(at=now, status=Status.PAUSED)), held=rest)

    def resume(self, now: float) -> Script:
        """The script of a paused job that is queued again at `now`, and continues soon."""
        rest = tuple(replace(moment, at=moment.at + now) for moment in self.held)
        soon = min([now + 0.05, *(moment.at for moment in rest)])
        again = (Moment(at=now, status=Status.QUEUED), Moment(at=soon, status=Status.RUNNING))
        moments = (*self.until(now), *again, *rest)
        return replace(self, moments=moments, held=())


def write_script(
    phases: Sequence[tuple[Status, float]],
    *,
    started: float,
    speed: float,
    steps: int,
    epochs: int,
    seed: int,
    end: Status = Status.SUCCEEDED,
) -> Script:
    """A job that passes through `phases`, each so many seconds long (divided by `speed`), and ends as `end`.

    While it runs its losses fall towards a floor, with a curve and a noise that depend on `seed`
    alone; the last step of each epoch has a validation loss and a checkpoint.
    """
    at, moments = started, []
    for status, seconds in phases:
        moments.append(Moment(at=at, status=status))
        if status is Status.RUNNING:
            moments += _training(at, seconds / speed, steps, epochs, seed)
        at += seconds / speed
    return Script(moments=(*moments, Moment(at=at, status=end)), steps=steps, epochs=epochs)


def _training(started: float, seconds: float, steps: int, epochs: int, seed: int) -> list[Moment]:
    noise = random.Random(seed)  # noqa: S311 - a curve for plots, not a secret
    first, floor = 2.2 + noise.random(), 0.15 + 0.3 * noise.random()
    moments = []
    for step in range(1, steps + 1):
        decay = math.exp(-4.0 * step / steps)
        train = floor + (first - floor) * decay
        ends_epoch = step * epochs // steps > (step - 1) * epochs // steps
        moments.append(
            Moment(
                at=started + seconds * step / (steps + 1),
                step=step,
                train_loss=round(train * (1 + 0.05 * noise.uniform(-1, 1)), 4),
                valid_loss=round(train * 1.08 + 0.04, 4) if ends_epoch else None,
                token_accuracy=round(0.95 - 0.6 * decay, 4),
                checkpoint=ends_epoch,
            )
        )
    return moments
