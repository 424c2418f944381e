"""Successive halving: which running trials are hopeless, by their validation losses so far.

The rule is asynchronous successive halving (Li et al., "A System for Massively Parallel Hyperparameter Tuning", 2020)
in the form that stops trials instead of promoting them: most vendors cannot pause, so no trial waits for another one.
Trials are compared at two rungs, after 1/eta² and 1/eta of their training, each by the first validation loss that is
reported there. A trial goes on while it is among the best 1/eta, rounded up, of those that have reached the highest
rung that it has reached itself. So a trial that comes late and is better ends one that was first.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import ceil
from typing import TypeAlias

from ftbridge.model import Event, Frozen

Curve: TypeAlias = Sequence[tuple[float, float]]
"""Validation losses of a trial: after which share of its training, from 0 to 1, and the loss."""
_ALMOST = 1e-9  # a share such as 3/9 must count as 1/3


class Stop(Frozen):
    """Why a trial was stopped: `better` of `compared` trials were better after `share` of their training.

    `loss` is its own validation loss there, and `kept` of the trials go on.
    """

    share: float
    loss: float
    better: int
    compared: int
    kept: int

    def __str__(self) -> str:
        return (
            f"at {self.share:.0%} of its training its validation loss was {self.loss:.3f}:"
            f" {self.better} of {self.compared} trials were better, and {self.kept} go on"
        )


def rungs(eta: int) -> tuple[float, float]:
    """The shares of the training at which trials are compared."""
    return 1 / eta**2, 1 / eta


def to_stop(curves: Mapping[int, Curve], running: Collection[int], eta: int) -> dict[int, Stop]:
    """Those of the `running` trials to stop; `curves` are of all trials that they are compared with, by number."""
    losses = {rung: _losses_at(curves, rung) for rung in rungs(eta)}
    stops = {}
    for number in running:
        reached = [rung for rung in rungs(eta) if number in losses[rung]]
        if not reached:
            continue
        there = losses[reached[-1]]
        kept = ceil(len(there) / eta)
        better = sum(loss < there[number] for loss in there.values())
        if better >= kept:
            stops[number] = Stop(share=reached[-1], loss=there[number], better=better, compared=len(there), kept=kept)
    return stops


def curve_of(events: Sequence[Event], *, total_steps: int | None, epochs: int | None) -> Curve:
    """The validation losses among the events; those of which nobody knows when they were measured are left out."""
    found = []
    for event in events:
        if event.valid_loss is None:
            continue
        steps = event.total_steps or total_steps
        if event.step is not None and steps:
            found.append((event.step / steps, event.valid_loss))
        elif event.epoch is not None and epochs:
            found.append((event.epoch / epochs, event.valid_loss))
    return found


def _losses_at(curves: Mapping[int, Curve], rung: float) -> dict[int, float]:
    """The first loss of each trial at the rung or after it."""
    losses = {number: [loss for share, loss in curve if share >= rung - _ALMOST] for number, curve in curves.items()}
    return {number: there[0] for number, there in losses.items() if there}
