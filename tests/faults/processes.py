"""Processes to be killed, stopped and set against each other, from the side of the test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection, Listener
from pathlib import Path

from faults.controlled_process import JobSpec
from faults.gate import Point

_TESTS = Path(__file__).parents[1]
_LONG = 60.0
"""Seconds after which something that is waited for will not come any more."""


class ControlledProcess:
    """One process, and what it has told."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.pid: int = connection.recv()
        self.passed: list[Point] = []
        self.outcome: str | None = None

    def give(self, order: JobSpec) -> None:
        """Have an order carried out; `listen` and `end` tell what becomes of it."""
        self.outcome = None
        self._connection.send(order)

    def listen(self, seconds: float) -> None:
        """Take in one thing that the process tells, if it does so in time."""
        if self._connection.poll(seconds):
            kind, what = self._connection.recv()
            if kind == "at":
                self.passed.append(Point(*what))
            else:
                self.outcome = what

    def end(self) -> str:
        """What the order came to."""
        until = time.monotonic() + _LONG
        while self.outcome is None:
            self.listen(0.1)
            assert time.monotonic() < until, f"process {self.pid} is still at it after {_LONG:g} s"
        return self.outcome

    def go_on(self) -> None:
        """Let the process go on that waits at a point of its own."""
        self._connection.send("go on")

    def kill(self) -> None:
        """SIGKILL; returns when the process is dead."""
        os.kill(self.pid, signal.SIGKILL)
        try:
            while True:  # what it told before, and then the end of the line
                self._connection.recv()
        except (EOFError, ConnectionResetError):
            self._connection.close()

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def dismiss(self) -> None:
        """Let the process end by itself."""
        self._connection.send(None)
        self._connection.close()

    @property
    def gone(self) -> bool:
        """Whether it was killed or dismissed."""
        return self._connection.closed


class Processes:
    """Starts processes that have everything loaded already."""

    def __init__(self, warming: Sequence[JobSpec]) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._listener = Listener(str(Path(self._folder.name) / "s"), backlog=16)
        self._first = subprocess.Popen(
            [sys.executable, "-m", "faults.controlled_process", str(self._listener.address)],
            stdin=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(_TESTS), os.environ.get("PYTHONPATH", "")])},
        )
        self._processes: list[ControlledProcess] = []
        first = ControlledProcess(self._listener.accept())
        for order in warming:
            first.give(order)
            first.end()
        first.dismiss()

    def start(self) -> ControlledProcess:
        """A new process."""
        assert self._first.stdin
        self._first.stdin.write(b"\n")
        self._first.stdin.flush()
        process = ControlledProcess(self._listener.accept())
        self._processes.append(process)
        return process

    def dismiss(self) -> None:
        """Start no more processes, and leave none behind, not even one that is halted."""
        for process in self._processes:
            if not process.gone:
                process.kill()
        assert self._first.stdin
        self._first.stdin.close()
        self._first.wait(_LONG)
        self._listener.close()
        self._folder.cleanup()
