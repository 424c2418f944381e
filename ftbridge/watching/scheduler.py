"""Periodic tasks, each at its own interval and in a thread of its own.

A task that finds something to do runs again at its own pace; one that finds nothing, or meets an error, runs less and
less often. One that is refused is parked: it is tried again after minutes, and the others go on meanwhile.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from ftbridge.errors import BadAnswer, FtbridgeError, NetworkError, RateLimited, ServerTrouble, StateError
from ftbridge.wording import clause

PARKED_SECONDS = 300.0
LONGEST_PARKED_SECONDS = 3600.0
_TEMPORARY = (BadAnswer, NetworkError, RateLimited, ServerTrouble)


@dataclass
class PeriodicTask:
    """`run` returns how many changes it found; `pace` and `slowest` bound the seconds between two rounds.

    `slow_down` is called when the vendor is rate limiting. The scheduler is stuck when all `vital` tasks are parked
    for good: one that has worked before is tried once more.
    """

    name: str
    run: Callable[[], int]
    pace: float
    slowest: float
    slow_down: Callable[[], None] = lambda: None
    vital: bool = True
    interval: float = 0.0
    due: float = 0.0
    rounds: int = 0
    problem: FtbridgeError | None = None
    parked: bool = False
    worked: bool = False
    refusals: int = 0
    busy: bool = False


class Scheduler:
    """Runs tasks periodically; `warn` gets each error once for as long as it lasts."""

    def __init__(self, tasks: list[PeriodicTask], warn: Callable[[str], None]) -> None:
        self.tasks = tasks
        self._warn = warn
        self._changed = threading.Condition()
        self._ended: list[tuple[PeriodicTask, int | BaseException]] = []
        self._woken: set[str] = set()

    def wake(self, name: str) -> None:
        """Run the task of that name at once; callable from any thread."""
        with self._changed:
            self._woken.add(name)
            self._changed.notify()

    def run_due(self, longest: float = 1.0) -> None:
        """Start what is due, and return when a round has ended, or after `longest` seconds.

        Raises unexpected exceptions, and errors of the ledger, which every task needs.
        """
        with self._changed:
            self._start_due()
            self._changed.wait_for(lambda: self._ended or self._can_start_woken(), timeout=self._until_next(longest))
            ended, self._ended = self._ended, []
        for task, outcome in ended:
            self._finish(task, outcome)

    def wait_for(self, *names: str, longest: float) -> None:
        """Return when no round of the tasks of those names, or of any task, is running, or after `longest` seconds."""
        waited_for = [task for task in self.tasks if not names or task.name in names]
        with self._changed:
            self._changed.wait_for(lambda: not any(task.busy for task in waited_for), timeout=longest)

    @property
    def stuck(self) -> FtbridgeError | None:
        """The first error, if every vital task is parked, and has never worked or was refused twice."""
        vital = [task for task in self.tasks if task.vital]
        hopeless = all(task.parked and (not task.worked or task.refusals > 1) for task in vital)
        return vital[0].problem if vital and hopeless else None

    def _start_due(self) -> None:
        at = time.monotonic()
        for task in self.tasks:
            if not task.busy and (task.due <= at or task.name in self._woken):
                self._woken.discard(task.name)
                # a daemon, so that a vendor that does not answer cannot keep the process from ending
                task.busy = True
                threading.Thread(target=self._round, args=(task,), name=f"ftbridge {task.name}", daemon=True).start()

    def _can_start_woken(self) -> bool:
        """Whether a woken task is idle; a busy one starts when its round has ended, and others may never be added."""
        return any(task.name in self._woken and not task.busy for task in self.tasks)

    def _until_next(self, longest: float) -> float:
        idle = [task.due - time.monotonic() for task in self.tasks if not task.busy]
        return max(0.0, min([longest, *idle]))

    def _round(self, task: PeriodicTask) -> None:
        outcome: int | BaseException
        try:
            outcome = task.run()
        except BaseException as problem:  # raised again in the thread that runs the scheduler
            outcome = problem
        with self._changed:
            self._ended.append((task, outcome))
            task.busy = False
            self._set_next(task, outcome)
            self._changed.notify()

    def _set_next(self, task: PeriodicTask, outcome: int | BaseException) -> None:
        task.rounds += 1
        slower = min(task.slowest, max(task.pace, 1.5 * task.interval))
        wait = task.interval = task.pace if outcome and not isinstance(outcome, BaseException) else slower
        if isinstance(outcome, _TEMPORARY):
            asked: float | None = getattr(outcome, "retry_after", None)
            wait = max(slower, min(asked or 0.0, LONGEST_PARKED_SECONDS))
        elif isinstance(outcome, FtbridgeError):
            wait = task.interval = min(LONGEST_PARKED_SECONDS, 2 * task.interval if task.parked else PARKED_SECONDS)
        task.due = time.monotonic() + wait * random.uniform(0.9, 1.1)  # noqa: S311 - spreads the load, no secret

    def _finish(self, task: PeriodicTask, outcome: int | BaseException) -> None:
        if isinstance(outcome, StateError) or (
            isinstance(outcome, BaseException) and not isinstance(outcome, FtbridgeError)
        ):
            raise outcome
        before = task.problem
        task.problem = outcome if isinstance(outcome, FtbridgeError) else None
        task.parked = task.problem is not None and not isinstance(task.problem, _TEMPORARY)
        task.worked |= task.problem is None
        task.refusals = task.refusals + 1 if task.parked else 0
        if isinstance(outcome, RateLimited):
            task.slow_down()
        if task.problem is not None and task.problem is self.stuck:
            return  # it is raised, and nothing is asked again
        if task.problem and str(task.problem) != str(before):
            seconds = max(0.0, task.due - time.monotonic())
            goes_on = not task.parked or any(one.worked for one in self.tasks if one.vital)
            again = f"; {task.name} is asked again in {seconds:.0f} s" if goes_on else ""
            self._warn(f"{clause(task.problem.message)}{again}")
        elif before and not task.problem:
            self._warn(f"{task.name} answers again")
