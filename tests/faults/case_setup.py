"""Where the cases of the kill matrix are played: a vendor, processes, and for each case a home of its own."""

from __future__ import annotations

import os
import shutil
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faults.controlled_process import JobSpec
from faults.gate import Gate
from faults.processes import ControlledProcess, Processes
from ftbridge import Bridge
from ftbridge.loopback import LoopbackServer
from ftbridge.mock import MockVendor
from ftbridge.model import Job, Status
from ftbridge.plugins import load_mock
from ftbridge_local.job_folder import JobFolder
from small_data import write_rows

TARGETS = {
    "openai": "openai:gpt-4.1-mini-2025-04-14",
    "together": "together:Qwen/Qwen3-8B",
    "mistral": "mistral:open-mistral-nemo",
    "azure": "azure:gpt-4.1-mini-2025-04-14",
    "nebius": "nebius:Qwen/Qwen3-8B",
    "local": "local:tiny",
}
LISTED_AFTER = 0.3
"""Seconds for which a listing that lags hides a new job."""
_SOON = 30.0
_ROUNDS = 12


class CaseSetup(ABC):
    """A place with one vendor, where one case is played after the other."""

    environment: dict[str, str]
    window = 0.0
    home: Path
    processes: Processes
    rivals: tuple[ControlledProcess, ControlledProcess]

    def __init__(self, vendor: str, folder: Path) -> None:
        self.vendor = vendor
        self.folder = folder
        self.data = write_rows(folder / "rows.jsonl")
        self.gate = Gate()
        self._homes = 0

    @abstractmethod
    def remote_jobs(self) -> list[str]:
        """The ids of the jobs that the vendor has."""

    @contextmanager
    def started(self) -> Iterator[None]:
        """With processes, and with two processes that will race each other."""
        self.begin()
        self.processes = Processes([self.submission(), self.recovery()])
        self.rivals = (self.processes.start(), self.processes.start())
        try:
            yield
        finally:
            for rival in self.rivals:
                rival.dismiss()
            self.processes.dismiss()

    def begin(self, fault: str = "none") -> None:
        """A home in which nothing has happened yet, and a vendor at which one thing will go wrong."""
        self._homes += 1
        self.home = self.folder / f"home-{self._homes}"
        self.home.mkdir()

    def submission(self, *, tell: bool = False, hold: str = "") -> JobSpec:
        """To submit, as a user does who wants to be able to repeat it."""
        return JobSpec(
            "submit",
            self.home,
            self.environment,
            self.window,
            data=self.data,
            target=TARGETS[self.vendor],
            tell=tell,
            hold=hold,
        )

    def recovery(self, *, window: float | None = None) -> JobSpec:
        """To recover what was left open."""
        return JobSpec("recover", self.home, self.environment, self.window if window is None else window)

    def race(self, *, window: float | None = None) -> list[str]:
        """Two recoveries at once."""
        for rival in self.rivals:
            rival.give(self.recovery(window=window))
        return [rival.end() for rival in self.rivals]

    def settle(self) -> int:
        """Recover until the job is at the vendor, and return how often that took.

        Where no recovery can help, because the intent was never written down or the vendor has refused, the
        user submits again, under the same key.
        """
        for number in range(1, _ROUNDS + 1):
            self.race()
            known = [job for job in self.jobs() if job.status is not Status.FAILED]
            if known and known[0].remote_id:
                return number
            if not known:
                self.rivals[0].give(self.submission())
                self.rivals[0].end()
            elif self.window:
                time.sleep(self.window / 3)
        raise AssertionError(f"nothing has come of it after {_ROUNDS} rounds: {self.jobs()}")

    def wait_for_the_job(self) -> None:
        """Return when the vendor has made it."""
        until = time.monotonic() + _SOON
        while not self.remote_jobs():
            assert time.monotonic() < until, "the vendor has not made the job"
            time.sleep(0.005)

    def jobs(self) -> list[Job]:
        """The jobs of the ledger."""
        with Bridge(self.home) as bridge:
            return bridge.jobs()

    def trace(self) -> list[str]:
        """The points that an undisturbed submission passes, each once, in order."""
        process = self.processes.start()
        self.gate.watch()
        process.give(self.submission(tell=True))
        process.end()
        process.dismiss()
        return list(dict.fromkeys(point.name for point in sorted([*process.passed, *self.gate.passed])))

    def submit_until(self, step: str) -> ControlledProcess:
        """A process that is submitting and has come to `step`, where it is held."""
        process = self.processes.start()
        self.gate.watch(step)
        process.give(self.submission(tell=True, hold=step))
        until = time.monotonic() + _SOON
        while not self.gate.reached.is_set() and step not in [point.name for point in process.passed]:
            process.listen(0.005)
            assert process.outcome is None, f"it ended before it came to {step}: {process.outcome}"
            assert time.monotonic() < until, f"it never came to {step}"
        return process


class HostedSetup(CaseSetup):
    """A mocked vendor behind a gate; `speed` is how many times faster it is than a true one."""

    speed = 1e6

    def __init__(self, vendor: str, folder: Path) -> None:
        super().__init__(vendor, folder)
        self.kind: type[MockVendor] = load_mock(vendor)

    @contextmanager
    def started(self) -> Iterator[None]:
        """As elsewhere, with the vendor's server running."""
        with LoopbackServer(self.gate) as server:
            url = f"{server.url}{self.kind.base_path}"
            self.environment = {self.kind.url_env: url, self.kind.key_env: "mock-key"}
            with super().started():
                yield

    def begin(self, fault: str = "none") -> None:
        """A vendor without files and jobs as well."""
        super().begin()
        self.mock = self.kind(self.folder / f"vendor-{self._homes}", speed=self.speed)
        self.gate.app = self.mock.app()
        self.window = 0.0
        if fault == "lag":
            self.window = 2 * LISTED_AFTER
            self.mock.faults.add(f"list_jobs=lag:{LISTED_AFTER}")
        elif fault != "none":
            self.mock.faults.add(f"create_job={fault}")

    def remote_jobs(self) -> list[str]:
        """Those in the vendor's store."""
        return [str(job["id"]) for job in self.mock.store.all("jobs", dict)]


class LocalSetup(CaseSetup):
    """This machine, where a job is a folder and a worker."""

    def __init__(self, folder: Path, tiny_home: Path) -> None:
        super().__init__("local", folder)
        self.environment = {}
        self._tiny = tiny_home

    @contextmanager
    def started(self) -> Iterator[None]:
        """As elsewhere; no worker is left behind."""
        with super().started():
            yield
        self._end_workers()

    def begin(self, fault: str = "none") -> None:
        """A home that has the tiny base; the worker of the case before is killed."""
        if self._homes:
            self._end_workers()
        super().begin(fault)
        shutil.copytree(self._tiny / "local", self.home / "local")

    def remote_jobs(self) -> list[str]:
        """The folders, each as often as a worker has begun there, once one has."""
        return [job.path.name for job in self._folders() for event in job.events() if event.status is Status.VALIDATING]

    def settle(self) -> int:
        """As elsewhere, and the job's worker has begun."""
        rounds = super().settle()
        self.wait_for_the_job()
        return rounds

    def _folders(self) -> list[JobFolder]:
        return [JobFolder(path) for path in (self.home / "local" / "jobs").glob("*")]

    def _end_workers(self) -> None:
        for job in self._folders():
            while job.alive:
                if worker := job.worker_pid:
                    os.kill(worker, signal.SIGKILL)
                time.sleep(0.01)
