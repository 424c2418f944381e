"""The local provider passes the suite that every provider passes."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from pathlib import Path
from typing import ClassVar

import pytest

from ftbridge.model import Status
from ftbridge.provider import Provider
from ftbridge.testing import Faults, ProviderContract
from ftbridge_local.job_folder import JobFolder
from ftbridge_local.provider import LocalProvider


class WorkerFaults:
    """What may go wrong on one's own machine: the next job's worker is killed at once, or stops while it trains."""

    kinds: tuple[str, ...] = ("fail", "stall")

    def __init__(self, home: Path) -> None:
        self.folder = home / "local" / "jobs"
        self.waiting: list[threading.Thread] = []

    def inject(self, verb: str, kind: str, *, seconds: float = 1.0) -> None:
        known = self._jobs()
        self.waiting.append(threading.Thread(target=self._wait_and_strike, args=(known, kind), daemon=True))
        self.waiting[-1].start()

    def remaining(self) -> int:
        return sum(thread.is_alive() for thread in self.waiting)

    def clear(self) -> None:
        for thread in self.waiting:
            thread.join(60)
        self.waiting.clear()

    def jobs(self) -> int:
        return len(self._jobs())

    def _jobs(self) -> set[Path]:
        return set(self.folder.iterdir()) if self.folder.exists() else set()

    def _wait_and_strike(self, known: set[Path], kind: str) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for path in self._jobs() - known:
                job = JobFolder(path)
                ripe = job.started and (kind == "fail" or job.state().status is Status.RUNNING)
                if ripe and job.alive and job.worker_pid:
                    os.kill(job.worker_pid, signal.SIGKILL if kind == "fail" else signal.SIGSTOP)
                    return
            time.sleep(0.01)


class TestLocal(ProviderContract):
    model: ClassVar[str] = "tiny"

    @pytest.fixture(scope="class")
    @classmethod
    def home(cls, tmp_path_factory: pytest.TempPathFactory, tiny_home: Path) -> Path:
        home = tmp_path_factory.mktemp("home")
        shutil.copytree(tiny_home / "local", home / "local")
        return home

    @pytest.fixture(scope="class")
    @classmethod
    def provider(cls, home: Path) -> Provider:
        return LocalProvider(home)

    @pytest.fixture(scope="class")
    @classmethod
    def faults(cls, home: Path) -> Faults:
        return WorkerFaults(home)
