"""The job folder: the truth about one job on this machine.

    spec.json        what was asked for: the spec, the model, the data files
    status.json      where the job stands, replaced as a whole
    events.jsonl     what happened, appended; an event's cursor is its line number, from 1
    request          "cancel" or "pause", put there by the provider, looked for by the worker before each step
    checkpoints/     step-000050/, …: what was trained, with the state that training goes on from
    result/          the adapter, or the model where all weights were trained
    kept.json        which step that is of, and its validation loss
    ranks/           where several processes train: how they find each other, and how it ended
    worker.log       what the worker printed: nothing, while all is well
    worker.lock      locked for as long as a worker lives, and holding its process id

The lock is taken by whoever starts a worker and handed down to it as an open file, so that it is never free
in between, and the kernel frees it however the worker ends. A status that is not final while nobody holds the
lock therefore means that the worker died: nothing depends on process ids or on clocks.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice, takewhile
from pathlib import Path
from typing import Any, Literal

from ftbridge.files import make_folder, to_disk, write
from ftbridge.model import Event, Frozen, Result, Spec, Status, now
from ftbridge.provider.remote import Listed, RemoteJob

Request = Literal["cancel", "pause"]

_AT_REST = (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED, Status.PAUSED)
_LAST_WORDS = 600  # characters of worker.log that are shown when a worker died


class JobSpec(Frozen):
    """What the worker is to do. Paths are absolute; `home` is where bases are cached."""

    spec: Spec
    model: str
    training: Path
    validation: Path | None = None
    home: Path


class JobState(Frozen):
    """Where the job stands, as its last writer saw it."""

    status: Status
    error: str | None = None


class ResultInfo(Frozen):
    """Of which step the result is, and its validation loss then; `None` where that is not known."""

    step: int | None = None
    valid_loss: float | None = None


class JobFolder:
    """One job's folder, which may not exist yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints = path / "checkpoints"
        self.result = path / "result"
        self.ranks = path / "ranks"
        self.log = path / "worker.log"
        self._order = path / "spec.json"
        self._status = path / "status.json"
        self._kept = path / "kept.json"
        self._events = path / "events.jsonl"
        self._request = path / "request"
        self._lock = path / "worker.lock"

    # What is read, by anybody at any time.

    @property
    def exists(self) -> bool:
        """A job was set down here, whole: the status is the last thing to be written."""
        return self._status.exists()

    @property
    def begun(self) -> bool:
        """A worker has been at this job."""
        return self.exists and self.standing().status is not Status.SUBMITTING

    @property
    def alive(self) -> bool:
        """Somebody holds the lock: a worker, or a process about to start one."""
        try:
            probe = self._lock.open("rb")
        except FileNotFoundError:
            return False
        with probe:
            return not _try_lock(probe.fileno(), fcntl.LOCK_SH)

    @property
    def worker(self) -> int | None:
        """The process id of the worker; only meaningful while it is `alive`."""
        digits = self._lock.read_bytes()
        return int(digits) if digits else None

    @property
    def request(self) -> Request | None:
        """What the worker is asked to do."""
        try:
            return "cancel" if self._request.read_text() == "cancel" else "pause"
        except FileNotFoundError:
            return None

    def order(self) -> JobSpec:
        """What was asked for."""
        return JobSpec.model_validate_json(self._order.read_bytes())

    def standing(self) -> JobState:
        """The status as it was last written."""
        return JobState.model_validate_json(self._status.read_bytes())

    def snapshot(self) -> RemoteJob:
        """The job as it stands; one whose worker died is failed, with the worker's last words."""
        alive = self.alive  # asked first: a worker writes its last status before it lets go of the lock
        standing = self.standing()
        status, error = standing.status, standing.error
        if status is Status.SUBMITTING:
            status = Status.VALIDATING
        if status not in _AT_REST and not alive:
            status, error = Status.FAILED, self._obituary(status)
        done = self.given(self.result) if status is Status.SUCCEEDED else None
        return RemoteJob(remote_id=self.path.name, status=status, raw_status=status.value, error=error, result=done)

    def kept(self) -> ResultInfo:
        """What is known of the result of a job that has succeeded."""
        return ResultInfo.model_validate_json(self._kept.read_bytes()) if self._kept.exists() else ResultInfo()

    def given(self, folder: Path) -> Result:
        """The result of a job that has succeeded, where it lies in `folder`."""
        return Result(model=str(folder), path=folder, **self.kept().model_dump())

    def listed(self) -> Listed:
        """The job as it stands, with what was asked for; the folder's name is its tag."""
        order, remote = self.order(), self.snapshot()
        return Listed(
            remote=remote,
            tag=self.path.name,
            model=order.model,
            method=order.spec.method,
            hyperparameters=order.spec.hyperparameters,
            name=order.spec.name,
            training_file=str(order.training),
            validation_file=str(order.validation) if order.validation else None,
            created_at=_written_at(self._order),
            finished_at=_written_at(self._status) if remote.status.final else None,
        )

    def events(self, since: int = 0) -> Iterator[Event]:
        """The events after the first `since` ones; a line that is still being written is left for later.

        They are on the disk first: whoever keeps a cursor would else pass over lines that are written anew in their
        place, after a loss of power. So the worker need not wait for the disk at every step.
        """
        if not self._events.exists():  # the worker has not got to its first
            return
        with self._events.open("rb") as file:
            lines = list(takewhile(_is_whole, islice(file, since, None)))
        if lines:
            to_disk(self._events)
            to_disk(self.path)
        for number, line in enumerate(lines, start=since + 1):
            yield Event.model_validate_json(line).model_copy(update={"cursor": str(number)})

    # What is written, by whoever holds the lock.

    def write_order(self, order: JobSpec) -> None:
        """Set down what is asked for."""
        write(self._order, order.model_dump_json().encode())

    def keep(self, kept: ResultInfo) -> None:
        """Set down what the result is."""
        write(self._kept, kept.model_dump_json().encode())

    def set_status(self, status: Status, error: str | None = None) -> None:
        """Move the job on, and tell it as an event."""
        if status is not Status.SUBMITTING:
            self.add_event("status", status=status, message=error)
            to_disk(self._events)  # before the status, which is looked at first
        write(self._status, JobState(status=status, error=error).model_dump_json().encode())

    def add_event(self, kind: Literal["status", "message", "metric", "checkpoint"], **facts: Any) -> None:
        """Append one event in a single write; what a killed writer left of a line is cut off first."""
        line = Event(at=now(), kind=kind, **facts).model_dump_json(exclude_none=True, exclude={"cursor"}) + "\n"
        with self._events.open("ab+") as file:
            end = file.seek(0, os.SEEK_END)
            if end and os.pread(file.fileno(), 1, end - 1) != b"\n":
                file.truncate(self._events.read_bytes().rfind(b"\n") + 1)
            file.write(line.encode())

    # The lock.

    def lock(self, patience: float = 1.0) -> int | None:
        """Take the lock and return its open file, or None when a worker has it.

        `patience`, in seconds, outlasts those who only look whether the lock is free, which holds it for an instant.
        """
        make_folder(self.path)
        handle = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        until = time.monotonic() + patience
        while not _try_lock(handle, fcntl.LOCK_EX):
            if time.monotonic() > until:
                os.close(handle)
                return None
            time.sleep(0.02)
        self._cut_torn_events()
        return handle

    def _cut_torn_events(self) -> None:
        """What was appended last before a loss of power may be zeros in part; none of it was told to anybody."""
        if self._events.exists() and b"\0" in (lines := self._events.read_bytes()):
            os.truncate(self._events, lines.rfind(b"\n", 0, lines.index(b"\0")) + 1)

    def renew(self, lock: int) -> None:
        """Make it a job that waits for a worker, whoever was at it before."""
        self.set_status(Status.SUBMITTING)
        self._request.unlink(missing_ok=True)
        os.ftruncate(lock, 0)

    def ask(self, request: Request) -> None:
        """Leave a request for the worker."""
        write(self._request, request.encode())

    def _obituary(self, status: Status) -> str:
        words = self.log.read_text("utf-8", "replace").strip()[-_LAST_WORDS:] if self.log.exists() else ""
        died, way_on = f"the worker died while {status.value}", f"`ftbridge resume {self.path.name}` goes on"
        if words:
            return f"{died}; {way_on}; its last words: {words}"
        return f"{died} without a word: it was killed by a signal, or by the system for want of memory; {way_on}"


def hold(folder: JobFolder, inherited: int | None) -> int | None:
    """Make this process the folder's worker: the lock's open file, inherited or opened here; None if another has it."""
    handle = folder.lock() if inherited is None else inherited
    if handle is None or not _try_lock(handle, fcntl.LOCK_EX):
        return None
    os.pwrite(handle, str(os.getpid()).encode(), 0)
    return handle


def _is_whole(line: bytes) -> bool:
    return line.endswith(b"\n") and b"\0" not in line


def _written_at(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)


def _try_lock(handle: int, how: int) -> bool:
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
