"""The job folder: everything about one job, as files that can be copied to another machine and trained there.

    spec.json         what to train; every file it names is in this folder
    training.jsonl    the data, and validation.jsonl where there is a validation file
    adapter/          the adapter that training continues, where there is one
    model/            the base model, where it is the result of an earlier job
    uploads.json      the provider's ids of the data files, which it lists; the trainer does not read them
    status.json       the job's state, replaced as a whole
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
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from ftbridge.files import PRIVATE_FILE, make_folder, open_private, to_disk, write
from ftbridge.model import Event, Frozen, Hyperparameters, Method, Status, now
from ftbridge.stored import not_understood, read_event, read_stored

Request = Literal["cancel", "pause"]

SPEC, STATUS, EVENTS, LOG, UPLOADS = "spec.json", "status.json", "events.jsonl", "worker.log", "uploads.json"
TRAINING, VALIDATION = "training.jsonl", "validation.jsonl"
ADAPTER, MODEL = "adapter", "model"
_PID_DIGITS = 10


class JobSpec(Frozen):
    """What the trainer is to do.

    `model` is what the user named. `base` is where the base model is: `tiny`, ORG/NAME at the hub, or a folder of the
    job folder; a model folder of the user's own is the one exception, and named by its absolute path, because it may
    be too large to copy. `adapter` is the folder, in the job folder, of the adapter that training continues.
    """

    model: str
    base: str
    adapter: str | None = None
    method: Method = Method.SFT
    hyperparameters: Hyperparameters = Hyperparameters()
    name: str | None = None
    training: str = TRAINING
    validation: str | None = None
    created_at: datetime = Field(default_factory=now)


class ResultInfo(Frozen):
    """The step that the result is of, its validation loss then, and how the settings were chosen.

    `settings_note` is a sentence for the model card: the settings that the user left open.
    """

    step: int | None = None
    valid_loss: float | None = None
    settings_note: str | None = None


class JobState(Frozen):
    """The status as it was last written, with the error of a failed job, or the result of one that succeeded."""

    status: Status
    error: str | None = None
    result: ResultInfo | None = None
    at: datetime = Field(default_factory=now)


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
    def request(self) -> Request | None:
        """What the worker is asked to do."""
        try:
            return "cancel" if self._request.read_text() == "cancel" else "pause"
        except FileNotFoundError:
            return None

    def spec(self) -> JobSpec:
        """What to train."""
        return read_spec((self.path / SPEC).read_bytes())

    def not_understood(self) -> tuple[str, ...]:
        """What the spec asks for that this version of ftbridge does not know."""
        return not_understood(self.spec(), (self.path / SPEC).read_bytes())

    def state(self) -> JobState:
        """The state as it was last written."""
        return read_state((self.path / STATUS).read_bytes())

    def read(self, name: str, offset: int = 0) -> bytes:
        """The content of a file from `offset` on, empty where there is no such file.

        It is brought to disk first: a reader that remembers the offset would otherwise miss lines that are written
        again after a power failure. This way the worker does not have to wait for the disk after every step.
        """
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
        state = JobState(status=status, error=error, result=result)
        write(self.path / STATUS, state.model_dump_json(exclude_none=True).encode())

    def add_event(self, kind: Literal["status", "message", "metric", "checkpoint"], **fields: Any) -> None:
        """Append one event in a single write; an incomplete line that a killed writer left is cut off first."""
        line = Event(at=now(), kind=kind, **fields).model_dump_json(exclude_none=True, exclude={"cursor"}) + "\n"
        path = self.path / EVENTS
        with open_private(path, "ab+") as file:
            end = file.seek(0, os.SEEK_END)
            if end and os.pread(file.fileno(), 1, end - 1) != b"\n":
                file.truncate(path.read_bytes().rfind(b"\n") + 1)
            file.write(line.encode())

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
        self._cut_zeros()
        return handle

    def reset(self, lock: int) -> None:
        """Make it a job that waits for a worker, from any state."""
        self.set_status(Status.SUBMITTING)
        self._request.unlink(missing_ok=True)
        os.ftruncate(lock, 0)

    def _cut_zeros(self) -> None:
        """A power failure may leave zeros where the last lines were appended; no reader has been given those lines."""
        path = self.path / EVENTS
        if path.exists() and b"\0" in (lines := path.read_bytes()):
            os.truncate(path, lines.rfind(b"\n", 0, lines.index(b"\0")) + 1)


def read_spec(text: bytes) -> JobSpec:
    """What a job folder's spec.json holds, by whichever version of ftbridge it was written."""
    return read_stored(JobSpec, text, {"model": "unknown", "base": "unknown"})


def read_state(text: bytes) -> JobState:
    """What its status.json holds; a status that this version does not know is `unknown`."""
    return read_stored(JobState, text, {"status": Status.UNKNOWN})


def parse_events(lines: bytes, offset: int = 0) -> Iterator[Event]:
    """The events in `lines`, a part of events.jsonl that begins at `offset`.

    A line that is still being written is left for later.
    """
    for line in lines.splitlines(keepends=True):
        if not line.endswith(b"\n") or b"\0" in line:
            return
        offset += len(line)
        yield read_event(line).model_copy(update={"cursor": str(offset)})


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
