"""A stub of the Hugging Face hub's jobs and buckets, on the loopback interface.

It answers the requests that huggingface_hub 2.4 sends, with the fields that it reads, and really runs each job's
command in a process. Only the Xet protocol, by which the bytes of a bucket's files travel, is not served: `hub_buckets`
carries them instead, to the folder that the stub lists.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

USER = "alice"
TOKEN = "hf_" + "stub" * 8 + "ab"
PAGE = 3
_IMAGE_OWN = ("PYTHONPATH", "HF_HOME", "HF_TOKEN", "HF_TOKEN_PATH", "FTBRIDGE_HOME")  # which a container would not have


@dataclass
class Job:
    """One job, as it was asked for, and the process that is its container."""

    id: str
    body: dict[str, Any]
    created_at: datetime
    process: subprocess.Popen[bytes] | None = None
    stage: str = "SCHEDULING"
    started_at: datetime | None = None
    finished_at: datetime | None = None
    log: Path | None = None

    def described(self) -> dict[str, Any]:
        """As the hub describes it (huggingface_hub 2.4.0, JobInfo)."""
        until = self.finished_at or datetime.now(UTC)
        running = (until - self.started_at).total_seconds() if self.started_at else None
        return {
            **{name: self.body.get(name) for name in ("dockerImage", "command", "flavor", "labels", "environment")},
            "id": self.id,
            "createdAt": hub_time(self.created_at),
            "startedAt": self.started_at and hub_time(self.started_at),
            "finishedAt": self.finished_at and hub_time(self.finished_at),
            "status": {"stage": self.stage, "message": None},
            "durations": {"schedulingSecs": 0, "runningSecs": running and int(running), "totalSecs": int(running or 0)},
            "owner": {"id": "1", "name": USER, "type": "user"},
            "arguments": [],
        }


@dataclass
class Fault:
    """What the hub does with the next request that fits: whether it carries it out, and what it answers."""

    method: str
    path: str
    done: bool = True
    status: int | None = None
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    seconds: float = 0.0
    times: int = 1

    def again(self) -> Fault:
        """The same, which has not happened yet."""
        return replace(self)


@dataclass
class HubStub:
    """The state of the hub; `folder` has a folder for each bucket."""

    folder: Path
    jobs: dict[str, Job] = field(default_factory=dict)
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    public: set[str] = field(default_factory=set)
    machines: int = 100
    home: Path | None = None
    plan: dict[str, float] = field(default_factory=lambda: {"every": 0.3})
    """What the program of a job is told otherwise."""
    url: str = ""
    hides_seconds: float = 0.0
    lists_twice: bool = False
    breaks_off: bool = False
    odd_stage: str = ""
    at_request: Callable[[str], bool] | None = None
    """Gets what happens: "METHOD PATH arrives", or "… is carried out"; where that is False, the connection is cut."""
    lock: Any = field(default_factory=threading.RLock)

    @property
    def disks(self) -> Path:
        """Where jobs have their own folders."""
        return self.folder / "disks"

    def bucket(self, bucket_id: str) -> Path:
        """Where the files of a bucket are."""
        return self.folder / "buckets" / bucket_id

    def active(self, tag: str = "") -> list[Job]:
        """The jobs, perhaps of one tag, that are not over."""
        self.look()
        return [job for job in self.of(tag) if job.stage in ("SCHEDULING", "RUNNING")]

    def of(self, tag: str = "") -> list[Job]:
        """All jobs of a tag."""
        return [job for job in self.jobs.values() if tag in ("", job.body["labels"].get("ftbridge"))]

    def create(self, body: dict[str, Any]) -> Job:
        """Take a job, and begin it where a machine is free."""
        with self.lock:
            job = Job(f"{len(self.jobs) + 1:024x}", body, datetime.now(UTC))
            self.jobs[job.id] = job
            self.look()
            return job

    def look(self) -> None:
        """Bring the stages up to date."""
        with self.lock:
            for job in self.jobs.values():
                if job.stage == "RUNNING" and job.process and (code := job.process.poll()) is not None:
                    self._finish(job, "ERROR" if code else "COMPLETED")
                if job.stage == "RUNNING" and job.started_at:
                    passed = (datetime.now(UTC) - job.started_at).total_seconds()
                    if passed > job.body.get("timeoutSeconds", 1800):
                        self._stop(job)
                        self._finish(job, "ERROR")
            running = sum(job.stage == "RUNNING" for job in self.jobs.values())
            for job in self.jobs.values():
                if job.stage == "SCHEDULING" and running < self.machines:
                    self._run(job)
                    running += 1

    def cancel(self, job: Job) -> None:
        """End it as the hub does: SIGTERM, and soon SIGKILL."""
        with self.lock:
            if job.stage in ("SCHEDULING", "RUNNING"):
                self._stop(job)
                self._finish(job, "CANCELED")

    def stop(self) -> None:
        """End all processes."""
        for job in self.jobs.values():
            self._stop(job)

    def _run(self, job: Job) -> None:
        volume = job.body["volumes"][0]
        mount = self.bucket(volume["source"]) / volume["path"]

        def mounted(text: str) -> str:
            return text.replace(volume["mountPath"], str(mount)) if text.startswith(volume["mountPath"]) else text

        job.log = self.folder / f"{job.id}.log"
        own = {name: value for name, value in os.environ.items() if name not in _IMAGE_OWN}
        environment = {
            **own,
            **{name: mounted(value) for name, value in job.body.get("environment", {}).items()},
            **job.body.get("secrets", {}),
            "JOB_ID": job.id,
            "TMPDIR": str(self.disks),
            **({"FTBRIDGE_HOME": str(self.home)} if self.home else {}),
        }
        *begin, plan = [sys.executable if word == "python3" else mounted(word) for word in job.body["command"]]
        command = [*begin, json.dumps({**json.loads(plan), **self.plan})]
        with job.log.open("wb") as log:
            job.process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, start_new_session=True, cwd=self.folder
            )
        job.stage, job.started_at = "RUNNING", datetime.now(UTC)

    def _stop(self, job: Job) -> None:
        if job.process and job.process.poll() is None:
            os.killpg(job.process.pid, signal.SIGKILL)
            job.process.wait(10)

    def _finish(self, job: Job, stage: str) -> None:
        job.stage, job.finished_at = stage, datetime.now(UTC)


def hub_time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def until(what: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for something."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)
