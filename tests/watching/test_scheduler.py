"""Chores come round at their own pace, and trouble with one is not trouble for the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from ftbridge.errors import AuthenticationFailed, FtbridgeError, NetworkError, RateLimited, StateError
from ftbridge.watching.scheduler import PARKED_SECONDS, PeriodicTask, Scheduler


class Script:
    """A task that does what the script says, one entry a round, the last one for ever."""

    def __init__(self, *script: int | BaseException) -> None:
        self.script = list(script)
        self.rounds = 0

    def __call__(self) -> int:
        self.rounds += 1
        outcome = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


def task(name: str, script: Callable[[], int], slowest: float = 0.08) -> PeriodicTask:
    return PeriodicTask(name, script, pace=0.01, slowest=slowest)


def tick_until(scheduler: Scheduler, reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < deadline
        scheduler.run_due(longest=0.05)


def test_a_chore_with_nothing_to_do_comes_round_less_and_less_often_and_work_brings_it_back() -> None:
    quiet = task("quiet", Script(0, 0, 0, 0, 0, 0, 0, 0, 7))
    scheduler = Scheduler([quiet], lambda _said: None)
    tick_until(scheduler, lambda: quiet.rounds == 8)
    assert quiet.interval == pytest.approx(0.08)
    tick_until(scheduler, lambda: quiet.rounds == 9)
    assert quiet.interval == pytest.approx(0.01)


def test_a_refused_key_parks_its_chore_and_the_others_go_on() -> None:
    messages: list[str] = []
    refused, fine = Script(AuthenticationFailed("the key is wrong", provider="bad")), Script(1)
    scheduler = Scheduler([task("bad", refused), task("good", fine)], messages.append)
    tick_until(scheduler, lambda: fine.rounds >= 5)
    assert refused.rounds == 1
    assert scheduler.tasks[0].parked
    assert scheduler.tasks[0].due - time.monotonic() > 0.8 * PARKED_SECONDS
    assert len(messages) == 1
    assert "the key is wrong" in messages[0]
    assert scheduler.stuck is None


def test_when_every_provider_refuses_nothing_can_go_on() -> None:
    problem = AuthenticationFailed("the key is wrong", provider="bad")
    bad = task("bad", Script(problem))
    scheduler = Scheduler([bad, PeriodicTask("hooks", Script(0), 0.01, 0.01, vital=False)], lambda _said: None)
    tick_until(scheduler, lambda: bad.parked)
    assert scheduler.stuck is problem


def test_who_refuses_from_the_start_is_not_said_to_be_asked_again() -> None:
    messages: list[str] = []
    tasks = [task(name, Script(AuthenticationFailed(f"no key for {name}", provider=name))) for name in ("one", "two")]
    scheduler = Scheduler(tasks, messages.append)
    tick_until(scheduler, lambda: scheduler.stuck is not None)
    assert scheduler.stuck is tasks[0].problem
    assert not any("asked again" in sentence for sentence in messages)


def test_who_refuses_after_it_has_worked_is_asked_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ftbridge.watching.scheduler.PARKED_SECONDS", 0.05)
    messages: list[str] = []
    refused = AuthenticationFailed("the key is wrong", provider="bad")
    bad = task("bad", Script(1, refused, 1, refused))
    scheduler = Scheduler([bad], messages.append)
    tick_until(scheduler, lambda: bad.rounds == 3)
    assert scheduler.stuck is None
    tick_until(scheduler, lambda: scheduler.stuck is refused)
    assert bad.rounds == 5
    assert [sentence.partition(" again")[0] for sentence in messages[:2]] == [
        "the key is wrong; bad is asked",
        "bad answers",
    ]


def test_waking_what_is_busy_or_unknown_waits_for_it_and_does_not_spin() -> None:
    allowed = threading.Event()

    def round_of_it() -> int:
        return int(allowed.wait(20))

    slow = task("slow", round_of_it)
    scheduler = Scheduler([slow], lambda _said: None)
    scheduler.run_due(longest=0.05)
    scheduler.wake("slow")
    scheduler.wake("nobody")
    ticks, began = 0, time.monotonic()
    while time.monotonic() - began < 0.5:
        scheduler.run_due(longest=0.1)
        ticks += 1
    assert ticks <= 6
    allowed.set()
    tick_until(scheduler, lambda: slow.rounds >= 2)


def test_the_vendor_is_left_alone_for_as_long_as_it_asks() -> None:
    slowed: list[bool] = []
    asked = task("busy", Script(RateLimited("slowly", provider="busy", retry_after=60.0), 0))
    asked.slow_down = lambda: slowed.append(True)
    scheduler = Scheduler([asked], lambda _said: None)
    tick_until(scheduler, lambda: asked.problem is not None)
    assert asked.due - time.monotonic() > 50
    assert slowed == [True]
    assert not asked.parked
    scheduler.wake("busy")
    tick_until(scheduler, lambda: asked.rounds == 2)


@pytest.mark.parametrize("problem", [NetworkError("no way there"), RateLimited("slowly", provider="flaky")])
def test_trouble_is_said_once_and_its_end_too(problem: FtbridgeError) -> None:
    messages: list[str] = []
    flaky = Script(problem, problem, problem, 1)
    scheduler = Scheduler([task("flaky", flaky)], messages.append)
    tick_until(scheduler, lambda: flaky.rounds >= 6)
    assert len(messages) == 2
    assert messages[0].startswith(problem.message)
    assert messages[1] == "flaky answers again"


@pytest.mark.parametrize("problem", [StateError("the disk is full"), ZeroDivisionError()])
def test_trouble_with_the_ledger_and_what_nobody_foresaw_is_raised(problem: Exception) -> None:
    scheduler = Scheduler([task("broken", Script(problem))], lambda _said: None)
    with pytest.raises(type(problem)):
        tick_until(scheduler, lambda: False)
