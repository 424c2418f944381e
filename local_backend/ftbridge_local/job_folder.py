"""The job folder: everything about one job, as files that can be copied to another machine and trained there.

    spec.json         what to train; every file it names is in this folder
    training.jsonl    the data, and validation.jsonl where there is a validation file, until the job is over for good
    adapter/          the adapter that training continues, where there is one
    model/            the base model, where it is the result of an earlier job
    teacher-adapter/  and teacher/: the same of the teacher, where the job has one
    uploads.json      the provider's ids of the data files, which it lists; the trainer does not read them
    status.json       the job's state, replaced as a whole
    disk-full.json    the state that replaces it where the disk has no room for any other
    events.jsonl      what happened, appended; an event's cursor is the offset in bytes at which its line ends
    request           "cancel" or "pause", written by the runner, read by the trainer after each step
    checkpoints/      step-000050/, …: what was trained, with the state that training continues from
    result/           the adapter, or the model where all weights were trained
    processes/        where several processes train: how they find each other, and the outcome
    worker.log        standard output and error of the worker: empty unless something goes wrong
    worker.lock       locked for as long as a worker lives, and holding its process id

The lock is taken by whoever starts a worker on this machine and handed down as an open file, so that it is never free
in between, and the kernel releases it however the worker ends. A state that is not final while nobody holds the lock
therefore means that the worker died: nothing depends on process ids or on clocks.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar

from ftbridge.errors import InputError
from ftbridge.files import PRIVATE_FILE, make_folder, move, open_private, to_disk, write
from ftbridge.model import Event, Status, now
from ftbridge.stored import not_understood
from ftbridge_local.job_documents import (
    EVENTS,
    FULL,
    SPEC,
    STATUS,
    TRAINING,
    VALIDATION,
    JobSpec,
    JobState,
    ResultInfo,
    parse_events,
    read_spec,
    read_state,
)
from ftbridge_local.out_of_memory import count_oom_kills

T = TypeVar("T")
Request = Literal["cancel", "pause"]

LOG = "worker.log"
ADAPTER, MODEL = "adapter", "model"
TEACHER_ADAPTER, TEACHER = "teacher-adapter", "teacher"
_PID_DIGITS = 10


class JobFolder:
    """One job's folder, which may not exist yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints = path / "checkpoints"
        self.result = path / "result"
        self.processes = path / "processes"
        self.log = path / LOG
        self._request = path / "request"
        self.lock_file = path / "worker.lock"

    # Read by anybody at any time.

    @property
    def exists(self) -> bool:
        """Whether the folder is complete: the state is written last."""
        return (self.path / STATUS).exists()

    @property
    def started(self) -> bool:
        """Whether a worker has begun the job."""
        return self.exists and self.state().status is not Status.SUBMITTING

    @property
    def alive(self) -> bool:
        """Whether the lock is held: by a worker, or by a process that is about to start one."""
        try:
            probe = self.lock_file.open("rb")
        except FileNotFoundError:
            return False
        with probe:
            return not _try_lock(probe.fileno(), fcntl.LOCK_SH)

    @property
    def worker_pid(self) -> int | None:
        """The process id of the worker; only meaningful while it is `alive`."""
        digits = self.lock_file.read_bytes()[:_PID_DIGITS]
        return int(digits) if digits.isdigit() and int(digits) > 1 else None

    @property
    def worker_ends(self) -> bool:
        """Whether the worker is gone or about to be, though its lock is still held: the kernel, which frees its memory
        first, or processes that it started take a moment.
        """
        try:
            stat = Path(f"/proc/{self.worker_pid}/stat").read_text("utf-8", "replace")
        except (OSError, ValueError):
            return sys.platform == "linux"
        return stat.rpartition(")")[2].split()[:1] in (["Z"], ["X"])

    @property
    def request(self) -> Request | None:
        """What the worker is asked to do."""
        try:
            return "cancel" if self._request.read_text() == "cancel" else "pause"
        except FileNotFoundError:
            return None

    def data(self) -> list[Path]:
        """The copies of the rows, and what was computed from each of them."""
        files = [self.path / name for name in (TRAINING, VALIDATION)]
        return [file for file in [*files, *sorted(self.path.glob("reference-*.json"))] if file.exists()]

    def spec(self) -> JobSpec:
        """What to train. Raises `InputError` where it cannot be read."""
        return self._readable(SPEC, read_spec)

    def not_understood(self) -> tuple[str, ...]:
        """What the spec asks for that this version of ftbridge does not know."""
        return not_understood(self.spec(), (self.path / SPEC).read_bytes())

    def state(self) -> JobState:
        """The state as it was last written; one that cannot be read is `unknown`, with the reason as its error."""
        try:
            return self._readable(STATUS, read_state)
        except InputError as problem:
            return JobState(status=Status.UNKNOWN, error=problem.message, unreadable=True)

    def read(self, name: str, offset: int = 0) -> bytes:
        """The content of a file from `offset` on, empty where there is no such file, or something else in its place.

        It is brought to disk first: a reader that remembers the offset would otherwise miss lines that are written
        again after a power failure. This way the worker does not have to wait for the disk after every step.
        """
        if not (self.path / name).is_file():  # a pipe would be waited for, and a device may have no end
            return b""
        try:
            with (self.path / name).open("rb") as file:
                file.seek(offset)
                content = file.read()
        except FileNotFoundError:
            return b""
        if content:
            to_disk(self.path / name)
            to_disk(self.path)
        return content

    def events(self, since: int = 0) -> Iterator[Event]:
        """The events whose lines begin at the offset `since` or later."""
        return parse_events(self.read(EVENTS, since), since)

    # Written by the holder of the lock.

    def write_spec(self, spec: JobSpec) -> None:
        """Write what to train."""
        write(self.path / SPEC, spec.model_dump_json().encode())

    def set_status(self, status: Status, error: str | None = None, result: ResultInfo | None = None) -> None:
        """Write the job's new state, and an event that reports it."""
        if status is not Status.SUBMITTING:
            self.add_event("status", status=status, message=error)
            to_disk(self.path / EVENTS)  # before the state, which is read first
        self._write_state(STATUS, JobState(status=status, error=error, result=result, out_of_memory=count_oom_kills()))

    def prepare_for_a_full_disk(self, error: str) -> None:
        """Write the state of a job that failed with `error`, while there is room for it."""
        self._write_state(FULL, JobState(status=Status.FAILED, error=error))

    def fail_on_a_full_disk(self) -> None:
        """Take that state for the job's: to rename a file needs no room."""
        move(self.path / FULL, self.path / STATUS)

    def _readable(self, name: str, parse: Callable[[bytes], T]) -> T:
        file = self.path / name
        try:
            if file.exists() and not file.is_file():
                raise ValueError("it is no file")
            return parse(file.read_bytes())
        except OSError as problem:
            why = problem.strerror or str(problem)
        except ValueError as problem:
            why = str(problem).splitlines()[0]
        raise InputError(
            f"{name} of job {self.path.name} cannot be read: {why}",
            hint=f"Restore {file}, or submit the job again.",
        )

    def _write_state(self, name: str, state: JobState) -> None:
        write(self.path / name, state.model_dump_json(exclude_none=True).encode())

    def add_event(self, kind: Literal["status", "message", "metric", "checkpoint"], **fields: Any) -> None:
        """Append one event in a single write; an incomplete line that a killed writer left is cut off first."""
        line = Event(at=now(), kind=kind, **fields).model_dump_json(exclude_none=True, exclude={"cursor"}) + "\n"
        path = self.path / EVENTS
        with open_private(path, "ab+") as file:
            end = file.seek(0, os.SEEK_END)
            if end and os.pread(file.fileno(), 1, end - 1) != b"\n":
                file.truncate(path.read_bytes().rfind(b"\n") + 1)
            file.write(line.encode())

    def discard_data(self) -> None:
        """Remove the rows of a job that is over for good; a failed one may be resumed."""
        if self.state().status in (Status.SUCCEEDED, Status.CANCELLED):
            for file in self.data():
                file.unlink(missing_ok=True)

    def ask(self, request: Request) -> None:
        """Leave a request for the worker; anybody may."""
        write(self._request, request.encode())

    # The lock.

    def lock(self, timeout: float = 1.0) -> int | None:
        """Take the lock and return its open file, or None when a worker has it.

        The `timeout`, in seconds, outlasts readers of `alive`, who hold the lock for an instant.
        """
        make_folder(self.path)
        handle = os.open(self.lock_file, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
        deadline = time.monotonic() + timeout
        while not _try_lock(handle, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                os.close(handle)
                return None
            time.sleep(0.02)
        return handle

    def reset(self, lock: int) -> None:
        """Make it a job that waits for a worker, from any state."""
        self.set_status(Status.SUBMITTING)
        self._request.unlink(missing_ok=True)
        os.ftruncate(lock, 0)


def hold(folder: JobFolder, inherited: int | None) -> int | None:
    """Make this process the folder's worker: the lock's open file, inherited or opened here; None if another has it."""
    handle = folder.lock() if inherited is None else inherited
    if handle is None or not _try_lock(handle, fcntl.LOCK_EX):
        return None
    os.pwrite(handle, str(os.getpid()).encode(), 0)
    return handle


def _try_lock(handle: int, how: int) -> bool:
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
