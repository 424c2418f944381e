"""How many questions are under way at once: fewer, and later, when the vendor asks to wait."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

_WAIT = 5.0  # seconds, where the vendor names none; twice as long each time until an answer comes


class Pace:
    """Slots for threads that ask. After a 429 half of them are left, and each round of answers gives one back."""

    def __init__(self, most: int) -> None:
        self._most = self._slots = most
        self._busy = self._answered = self._waits = 0
        self._until = 0.0
        self._stopped = False
        self._changed = Condition()

    @contextmanager
    def slot(self) -> Iterator[bool]:
        """Hold a slot in the block, when there is one; False, and no slot is needed any more, after `stop`."""
        with self._changed:
            while not self._stopped and (self._busy >= self._slots or self._until > time.monotonic()):
                pause = self._until - time.monotonic()
                self._changed.wait(pause if pause > 0 else None)
            self._busy += 1
        try:
            yield not self._stopped
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def slower(self, seconds: float | None) -> None:
        """Ask nothing for so long, and then less at once."""
        with self._changed:
            wait = seconds if seconds is not None else _WAIT * 2**self._waits
            self._waits += 1
            self._until = max(self._until, time.monotonic() + wait)
            self._slots, self._answered = max(1, self._slots // 2), 0

    def answered(self) -> None:
        """An answer has come."""
        with self._changed:
            self._waits, self._answered = 0, self._answered + 1
            if self._answered >= self._slots:
                self._slots, self._answered = min(self._most, self._slots + 1), 0
                self._changed.notify_all()

    def stop(self) -> None:
        """Let nobody ask any more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
