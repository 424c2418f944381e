"""Hopeless trials are stopped early, by losses that can be compared, and none is stopped twice or taken for another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pytest

from ftbridge import Bridge
from ftbridge.model import Event, now
from ftbridge.sweep.halving import curve_of, rungs, to_stop
from ftbridge.sweep.results import Sweep
from scripted_provider import Died
from sweep.scripted_sweep import STEPS, LossyVendor

Losses: TypeAlias = Mapping[float, Sequence[float]]
FLAT: Losses = {0.1: [1.0] * 8, 0.2: [2.0] * 8, 0.3: [3.0] * 8, 0.4: [4.0] * 8}
"""By learning rate; the rungs of eta 2 are after steps 2 and 4."""


class Stage(NamedTuple):
    """A bridge with the scripted vendor at `local:`, and a dataset."""

    bridge: Bridge
    vendor: LossyVendor
    rows: Path

    def sweep(self, **options: Any) -> Sweep:
        given = {"halving": 2, "learning_rate": list(self.vendor.script), **options}
        return self.bridge.sweep(self.rows, "local:any", validation=self.rows, evaluate=False, **given)


Start: TypeAlias = Callable[..., Stage]


@pytest.fixture
def start(bridge: Bridge, data: Path) -> Start:
    def begin(losses: Losses = FLAT, **late: Any) -> Stage:
        vendor = LossyVendor(bridge.home, losses, **late)
        bridge._providers["local"] = vendor
        return Stage(bridge, vendor, data)

    return begin


def outcomes(found: Sweep) -> dict[float | None, str]:
    return {trial.hyperparameters.learning_rate: trial.outcome for trial in found.trials}


def test_the_rungs_are_at_shares_of_the_training() -> None:
    assert rungs(2) == (0.25, 0.5)
    assert rungs(3) == pytest.approx((1 / 9, 1 / 3))


def test_of_those_compared_the_best_share_goes_on_rounded_up() -> None:
    curves = {number: [(0.25, float(number))] for number in range(1, 6)}
    assert set(to_stop(curves, [1, 2, 3, 4, 5], 2)) == {4, 5}
    assert set(to_stop(curves, [1, 2, 3, 4, 5], 5)) == {2, 3, 4, 5}
    [stop] = to_stop(curves, [5], 2).values()
    assert str(stop) == "at 25% of its training its validation loss was 5.000: 4 of 5 trials were better, and 3 go on"


def test_the_first_to_come_goes_on_until_a_better_one_has_come_as_far() -> None:
    first = [(0.25, 2.0), (0.5, 1.9)]
    assert to_stop({1: first}, [1], 2) == {}
    assert to_stop({1: first, 2: [(0.1, 1.0)]}, [1, 2], 2) == {}
    assert to_stop({1: first, 2: [(0.25, 1.0)]}, [1, 2], 2) == {}
    assert set(to_stop({1: first, 2: [(0.25, 1.0), (0.5, 0.9)]}, [1, 2], 2)) == {1}
    assert set(to_stop({1: first, 2: [(0.3, 2.5)]}, [1, 2], 2)) == {2}


def test_equal_losses_go_on_together() -> None:
    assert to_stop({1: [(0.25, 1.0)], 2: [(0.25, 1.0)]}, [1, 2], 2) == {}


def test_the_share_is_of_steps_or_of_epochs_and_where_neither_is_known_nothing_is_compared() -> None:
    def metric(**known: Any) -> Event:
        return Event(at=now(), kind="metric", **known)

    events = [
        metric(step=2, total_steps=8, valid_loss=3.0),
        metric(step=3, valid_loss=2.5),
        metric(epoch=1.5, valid_loss=2.0),
        metric(valid_loss=1.0),
        metric(step=4, total_steps=8, train_loss=0.5),
    ]
    assert curve_of(events, total_steps=None, epochs=None) == [(0.25, 3.0)]
    assert curve_of(events, total_steps=6, epochs=3) == [(0.25, 3.0), (0.5, 2.5), (0.5, 2.0)]


def test_half_of_the_trials_are_stopped_at_each_rung(start: Start) -> None:
    stage = start()
    found = stage.sweep()
    assert outcomes(found) == {0.1: "succeeded", 0.2: "stopped", 0.3: "stopped", 0.4: "stopped"}
    assert [trial.hyperparameters.learning_rate for trial in found.trials][:2] == [0.1, 0.2]
    stops = {trial.hyperparameters.learning_rate: trial.stop for trial in found.trials}
    assert {rate: stop.share for rate, stop in stops.items() if stop} == {0.2: 0.5, 0.3: 0.25, 0.4: 0.25}
    assert len(stage.vendor.cancelled) == 3
    assert stage.vendor.last[0.4] < stage.vendor.last[0.1] == STEPS


def test_without_halving_all_run_to_their_end(start: Start) -> None:
    stage = start()
    assert set(outcomes(stage.sweep(halving=None)).values()) == {"succeeded"}
    assert stage.vendor.cancelled == []


def test_a_late_trial_that_is_better_ends_the_one_that_was_first(start: Start) -> None:
    stage = start({0.1: [2.0] * 8, 0.2: [1.0] * 8}, late={0.2: 2})
    assert outcomes(stage.sweep()) == {0.1: "stopped", 0.2: "succeeded"}


def test_trials_of_other_epochs_are_not_compared(start: Start) -> None:
    found = start({1: [1.0] * 8, 3: [2.0] * 8}).sweep(learning_rate=None, epochs=[1, 3])
    assert [trial.outcome for trial in found.trials] == ["succeeded"] * 2


def test_a_trial_that_a_person_cancels_is_not_compared_and_not_created_again(start: Start) -> None:
    stage = start({0.1: [1.0] * 8, 0.2: [2.0] * 8}, late={0.2: 1})

    def cancel_the_first(trial: Any) -> None:
        if trial.outcome == "open" and trial.number == 1:
            stage.bridge.cancel(trial.job)

    found = stage.sweep(progress=cancel_the_first)
    assert outcomes(found) == {0.1: "cancelled", 0.2: "succeeded"}
    assert outcomes(stage.sweep()) == outcomes(found)
    assert len(stage.vendor.made) == 2


def test_killed_between_the_decision_and_the_cancel_it_is_cancelled_by_the_next(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = start({0.1: [1.0] * 8, 0.2: [2.0] * 8})

    def dies(*_given: Any) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr("ftbridge.sweep.trials.cancel", dies)
        with pytest.raises(Died):
            stage.sweep()
    assert stage.vendor.cancelled == []
    assert outcomes(stage.sweep()) == {0.1: "succeeded", 0.2: "stopped"}
    assert len(stage.vendor.cancelled) == 1
    assert len(stage.vendor.made) == 2


def test_a_cancel_that_does_not_arrive_is_tried_again(start: Start) -> None:
    stage = start({0.1: [1.0] * 8, 0.2: [2.0] * 8})
    stage.vendor.unreachable = 5  # one cancel asks four times
    assert outcomes(stage.sweep()) == {0.1: "succeeded", 0.2: "stopped"}
    assert any("could not be stopped: the connection broke" in warning for warning in stage.bridge.warnings)
