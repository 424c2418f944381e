"""What may go wrong at Hugging Face: answers of the stub, and the workers of its jobs."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from every_case import EVERY_CASE
from ftbridge.model import Status
from ftbridge_local.job_folder import JobFolder
from runners.hub_stub import Fault, HubStub

_JOBS, _FILES = "/api/jobs/", "/api/buckets/"
_REQUESTS = {
    "create": ("POST", _JOBS),
    **dict.fromkeys(("find", "jobs", "poll"), ("GET", _JOBS)),
    "events": ("POST", f"{_FILES}alice/ftbridge-jobs/paths-info"),
    "checkpoints": ("GET", f"{_FILES}alice/ftbridge-jobs/tree"),
}
_BODIES = {"html": b"<html>busy</html>", "invalid-json": b"{,}", "truncate": b'[{"id": "abc", "labels": {'}
_OFTEN = (
    *("fail", "stall", "cancel", "twice", "unfinished", "lag", "unknown-status", "slow"),
    *("401", "402", "404", "429", "500", "cut", "redirect", "500-after", "cut-after", "html"),
)
_ALL = (
    *("403", "409", "410", "413", "422", "501", "invalid-json", "truncate"),
    *("301-after", "303-after", "403-after", "404-after", "408-after", "409-after", "425-after", "429-after"),
    *("499-after", "501-after"),
)


class HubFaults:
    """Faults of the hub, one after the other."""

    kinds = (*_OFTEN, *(_ALL if EVERY_CASE else ()))

    def __init__(self, hub: HubStub) -> None:
        self.hub = hub
        self.waiting: list[threading.Thread] = []

    def inject(self, verb: str, kind: str, *, seconds: float = 1.0) -> None:
        if kind in ("fail", "stall", "cancel"):
            thread = threading.Thread(target=self._strike, args=(set(self.hub.jobs), kind), daemon=True)
            self.waiting.append(thread)
            thread.start()
        elif kind in ("twice", "unfinished", "lag", "unknown-status"):
            self.hub.lists_twice, self.hub.breaks_off = kind == "twice", kind == "unfinished"
            self.hub.hides_seconds = seconds if kind == "lag" else 0.0
            self.hub.odd_stage = "HIBERNATING" if kind == "unknown-status" else ""
        elif verb not in _REQUESTS:
            pytest.skip(f"{verb} asks nothing of the hub, or by the protocol that is replaced")
        else:
            self.hub.faults.append(_fault(*_REQUESTS[verb], kind, seconds))

    def remaining(self) -> int:
        return len(self.hub.faults) + sum(thread.is_alive() for thread in self.waiting)

    def clear(self) -> None:
        self.hub.faults.clear()
        self.hub.lists_twice = self.hub.breaks_off = False
        self.hub.hides_seconds, self.hub.odd_stage = 0.0, ""
        for thread in self.waiting:
            thread.join(60)
        self.waiting.clear()

    def jobs(self) -> int:
        return len(self.hub.jobs)

    def _strike(self, known: set[str], kind: str) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for job in [job for job_id, job in list(self.hub.jobs.items()) if job_id not in known]:
                tag = job.body["labels"]["ftbridge"]
                if kind == "cancel":
                    self.hub.cancel(job)
                    return
                for folder in map(JobFolder, self.hub.disks.glob(f"*/{tag}")):
                    if _is_ripe(folder, kind):
                        os.kill(folder.worker_pid or 0, signal.SIGKILL if kind == "fail" else signal.SIGSTOP)
                        return
            time.sleep(0.02)


def _is_ripe(job: JobFolder, kind: str) -> bool:
    began = job.started and job.alive and bool(job.worker_pid)
    return began and (kind == "fail" or job.state().status is Status.RUNNING)


def _fault(method: str, path: str, kind: str, seconds: float) -> Fault:
    code, _, after = kind.partition("-")
    if code == "cut":
        return Fault(method, path, done=after == "after", cut=True)
    if code.isdigit():
        headers = {"retry-after": str(seconds)} if code == "429" and not after else {}
        return Fault(method, path, done=bool(after), status=int(code), body=b'{"error": "no"}', headers=headers)
    if kind == "redirect":
        headers = {"location": f"{path}elsewhere"}
        return Fault(method, path, done=False, status=307, body=b"", headers=headers)
    if kind == "slow":
        return Fault(method, path, seconds=seconds)
    return Fault(method, path, body=_BODIES[kind])
