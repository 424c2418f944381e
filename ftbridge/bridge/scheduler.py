"""Chores that come round again and again, each at its own pace and in a thread of its own.

A chore that finds something to do comes round again at its own pace; one that finds nothing, or
meets trouble, comes round less and less often. One that is refused is parked: it is tried again
after minutes, and the others go on meanwhile.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from ftbridge.errors import BadAnswer, FtbridgeError, NetworkError, RateLimited, ServerTrouble, StateError

PARKED_SECONDS = 300.0
LONGEST_PARKED_SECONDS = 3600.0
_PASSES = (BadAnswer, NetworkError, RateLimited, ServerTrouble)


@dataclass
class Chore:
    """`run` returns how much it found to do; `pace` and `slowest` are the seconds between two rounds.

    `patience` is called when the vendor asks for some. While a `vital` chore goes on, nothing is stuck.
    """

    name: str
    run: Callable[[], int]
    pace: float
    slowest: float
    patience: Callable[[], None] = lambda: None
    vital: bool = True
    interval: float = 0.0
    due: float = 0.0
    rounds: int = 0
    problem: FtbridgeError | None = None
    parked: bool = False
    busy: bool = False


class Scheduler:
    """Keeps chores coming round; `warn` gets a sentence for each trouble, once for as long as it lasts."""

    def __init__(self, chores: list[Chore], warn: Callable[[str], None]) -> None:
        self.chores = chores
        self._warn = warn
        self._bell = threading.Condition()
        self._ended: list[tuple[Chore, int | BaseException]] = []
        self._woken: set[str] = set()

    def wake(self, name: str) -> None:
        """Let the chore of that name come round at once; callable from any thread."""
        with self._bell:
            self._woken.add(name)
            self._bell.notify()

    def tick(self, longest: float = 1.0) -> None:
        """Start what is due, and return when a round has ended, or after `longest` seconds.

        Raises what nobody foresaw, and trouble with the ledger, which no chore can do without.
        """
        with self._bell:
            self._start_due()
            self._bell.wait_for(lambda: self._ended or self._woken, timeout=self._until_next(longest))
            ended, self._ended = self._ended, []
        for chore, outcome in ended:
            self._settle(chore, outcome)

    def wait_for(self, name: str, longest: float) -> None:
        """Return when no round of the chore of that name is under way, or after `longest` seconds."""
        with self._bell:
            self._bell.wait_for(lambda: not any(c.busy for c in self.chores if c.name == name), timeout=longest)

    @property
    def stuck(self) -> FtbridgeError | None:
        """Why nothing can go on at all, if every vital chore is parked."""
        vital = [chore for chore in self.chores if chore.vital]
        return vital[0].problem if vital and all(chore.parked for chore in vital) else None

    def _start_due(self) -> None:
        at = time.monotonic()
        for chore in self.chores:
            if not chore.busy and (chore.due <= at or chore.name in self._woken):
                self._woken.discard(chore.name)
                # a daemon, so that a vendor that does not answer cannot keep the process from ending
                chore.busy = True
                threading.Thread(target=self._round, args=(chore,), name=f"ftbridge {chore.name}", daemon=True).start()

    def _until_next(self, longest: float) -> float:
        idle = [chore.due - time.monotonic() for chore in self.chores if not chore.busy]
        return max(0.0, min([longest, *idle]))

    def _round(self, chore: Chore) -> None:
        outcome: int | BaseException
        try:
            outcome = chore.run()
        except BaseException as problem:  # it is raised again where somebody can see it
            outcome = problem
        with self._bell:
            self._ended.append((chore, outcome))
            chore.busy = False
            self._set_next(chore, outcome)
            self._bell.notify()

    def _set_next(self, chore: Chore, outcome: int | BaseException) -> None:
        chore.rounds += 1
        slower = min(chore.slowest, max(chore.pace, 1.5 * chore.interval))
        wait = chore.interval = chore.pace if outcome and not isinstance(outcome, BaseException) else slower
        if isinstance(outcome, _PASSES):
            wait = max(slower, getattr(outcome, "retry_after", None) or 0.0)
        elif isinstance(outcome, FtbridgeError):
            wait = chore.interval = min(LONGEST_PARKED_SECONDS, 2 * chore.interval if chore.parked else PARKED_SECONDS)
        chore.due = time.monotonic() + wait * random.uniform(0.9, 1.1)  # noqa: S311 - spreads the load, no secret

    def _settle(self, chore: Chore, outcome: int | BaseException) -> None:
        if isinstance(outcome, StateError) or (
            isinstance(outcome, BaseException) and not isinstance(outcome, FtbridgeError)
        ):
            raise outcome
        before = chore.problem
        chore.problem = outcome if isinstance(outcome, FtbridgeError) else None
        chore.parked = chore.problem is not None and not isinstance(chore.problem, _PASSES)
        if isinstance(outcome, RateLimited):
            chore.patience()
        if chore.problem and str(chore.problem) != str(before):
            seconds = max(0.0, chore.due - time.monotonic())
            self._warn(f"{chore.problem.message}; {chore.name} is asked again in {seconds:.0f} s")
        elif before and not chore.problem:
            self._warn(f"{chore.name} answers again")
