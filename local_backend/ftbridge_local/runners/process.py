"""The runner of this machine: a job folder below the home, and one worker process that outlives its starter."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ftbridge.foreign.names import plain_name
from ftbridge.model import Status
from ftbridge_local.command import Command
from ftbridge_local.job_folder import JobFolder, Request
from ftbridge_local.runners.kill import kill_holder
from ftbridge_local.runners.runner import JobReport, Resumed
from ftbridge_local.runners.standby import Standby

if TYPE_CHECKING:
    from ftbridge.provider import Artifact

STOP_SECONDS = 4.0  # how long a worker may take to honour a request before it is killed
_LOG_CHARACTERS = 600  # of worker.log, shown when a worker died


class ProcessRunner:
    """Runs `command` on the job folders of a home; the kernel's file locks show which of them have a worker."""

    provider: ClassVar[str] = "local"
    """For errors: by what provider jobs are run so."""

    def __init__(self, home: Path, command: Command) -> None:
        self._home = home.absolute()
        self._command = command
        self._standby: Standby | None = None

    def start(self, tag: str, prepare: Callable[[JobFolder], None]) -> None:
        """As every runner; the job belongs to the worker from the moment that it is handed the lock."""
        job = self.folder(tag)
        while (lock := job.lock()) is None:
            if job.exists:  # a worker has the lock, and not another process that is preparing the job
                return
        try:
            if not job.started:
                prepare(job)
                self._hand_over(job, lock, self._standby)
        finally:
            os.close(lock)

    def resume(self, tag: str) -> Resumed:
        """As every runner; a worker that was asked to stop is given time to do so."""
        job = self.folder(tag)
        lock = job.lock(timeout=STOP_SECONDS if job.request or job.worker_ends else 1.0)
        if lock is None:
            return "running"
        try:
            if job.state().status in (Status.SUCCEEDED, Status.CANCELLED):
                return "over"
            if not job.data():
                return "without data"
            self._hand_over(job, lock)
        finally:
            os.close(lock)
        return "resumed"

    def tags(self) -> list[str]:
        """The job folders of this home."""
        return [path.name for path in (self._home / "local" / "jobs").glob("*/") if JobFolder(path).exists]

    def report(self, tags: Sequence[str]) -> list[JobReport]:
        """By each folder's lock and state."""
        return [report(job) for job in map(self.folder, tags) if job.exists]

    def ask(self, tag: str, request: Request) -> None:
        """Leave the request in the folder."""
        self.folder(tag).ask(request)

    def end(self, tag: str) -> bool:
        """As every runner; returns within twice the time that a worker is given to stop."""
        job = self.folder(tag)
        job.ask("cancel")
        lock = job.lock(timeout=STOP_SECONDS)
        if lock is None and (pid := job.worker_pid):
            kill_holder(pid, job.lock_file)
            lock = job.lock(timeout=STOP_SECONDS)  # processes of its own take a moment to notice that it is gone
        if lock is None:
            return False
        try:
            if not job.state().status.final:
                job.set_status(Status.CANCELLED)
            job.discard_data()
        finally:
            os.close(lock)
        return True

    def read(self, tag: str, name: str, offset: int = 0) -> bytes:
        """From the folder itself."""
        return self.folder(tag).read(name, offset)

    def folder(self, tag: str) -> JobFolder:
        """The folder that the worker itself works in."""
        return JobFolder(self._home / "local" / "jobs" / plain_name(tag))

    def names(self, tag: str, folder: str) -> list[str]:
        """Of the folder itself."""
        return sorted(path.name for path in (self.folder(tag).path / folder).glob("*"))

    def pull(self, tag: str, part: str = "result") -> JobFolder:
        """The same: everything is already there."""
        return self.folder(tag)

    def artifacts(self, tag: str) -> list[Artifact]:
        """The files of the job, and its result."""
        from ftbridge_local.artifacts import artifacts_of  # imported here: far sides, which start for each call, poll

        return artifacts_of(self.folder(tag))

    def delete(self, artifact: Artifact) -> None:
        """Remove it, unless its job is not over."""
        from ftbridge_local.artifacts import delete_in  # likewise

        delete_in(self._home / "local", artifact, self.provider)

    @contextmanager
    def standby(self, *, preload: bool) -> Iterator[None]:
        """Within it a process waits for the next job that is started."""
        self._standby = waiting = Standby(self._command, self._home, preload=preload)
        try:
            yield
        finally:
            self._standby = None
            waiting.close()

    def _hand_over(self, job: JobFolder, lock: int, waiting: Standby | None = None) -> None:
        """Give the job to a process that outlives this one: to the one that is `waiting`, or to a new one.

        The job is `submitting` until the worker's first act, which is to set another status: where this process or
        the worker dies before that, nothing has been done and the job can be started again.
        """
        job.reset(lock)
        if not (waiting and waiting.hand_over(job, lock)):
            Standby(self._command, self._home, preload=False).hand_over(job, lock)


def report(job: JobFolder) -> JobReport:
    """What the folder says of its job."""
    alive = job.alive  # before the state: a worker writes its last state before it releases the lock
    report = JobReport(job.path.name, job.state(), alive)
    if not (report.died and job.log.exists()):
        return report
    return report._replace(log=job.log.read_text("utf-8", "replace").strip()[-_LOG_CHARACTERS:])
