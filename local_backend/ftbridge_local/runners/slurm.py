"""The runner of a Slurm cluster, on its login node: a batch job for each job folder, which all nodes have to see.

The folder is the truth; Slurm only says whether the job waits, runs or is gone. No job runs twice: whoever begins it
holds the folder's submission lock and looks for its name first, and a second batch job of the same name waits for the
first (`--dependency=singleton`) and then finds the job over.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from ftbridge.errors import InvalidRequest, MissingExtra, ServerTrouble
from ftbridge.files import make_folder
from ftbridge.model import Status
from ftbridge_local.command import Command
from ftbridge_local.job_folder import LOG, JobFolder
from ftbridge_local.runners.process import STOP_SECONDS, ProcessRunner, report
from ftbridge_local.runners.runner import JobReport, Resumed

_BEFORE_RUNNING = (Status.SUBMITTING, Status.VALIDATING)
_LOCK = "submission.lock"
_LOOK_SECONDS = 0.2
_PASSED_ON = ("PYTHONPATH", "FTBRIDGE_HOME")


class SlurmRunner(ProcessRunner):
    """Runs `command` on the job folders of a home by sbatch, with these further options of it."""

    provider: ClassVar[str] = "slurm"

    def __init__(self, home: Path, command: Command, options: Sequence[str]) -> None:
        super().__init__(home, command)
        self._options = options

    def start(self, tag: str, prepare: Callable[[JobFolder], None]) -> None:
        """As every runner; a batch job that waits or runs already is enough."""
        job = self.folder(tag)
        with _submitting(job):
            if tag in _queue() or job.started:
                return
            prepare(job)
            self._submit(job)

    def resume(self, tag: str) -> Resumed:
        """As every runner; a worker that was asked to stop is given time to do so."""
        job = self.folder(tag)
        with _submitting(job):
            if not _gone(job, STOP_SECONDS if job.request else 0.0):
                return "running"
            if job.state().status in (Status.SUCCEEDED, Status.CANCELLED):
                return "over"
            if not job.data():
                return "without data"
            self._submit(job)
        return "resumed"

    def report(self, tags: Sequence[str]) -> list[JobReport]:
        """By one question to Slurm, and each folder's state after it."""
        queue = _queue()
        reports = [_report(job, queue) for job in map(self.folder, tags) if job.exists]
        if any(one.died for one in reports):  # or was submitted in between
            queue = _queue()
            reports = [_report(self.folder(one.tag), queue) if one.died else one for one in reports]
        return [one._replace(log=one.log or _end_of(one.tag)) if one.died else one for one in reports]

    def end(self, tag: str) -> bool:
        """As every runner; a batch job that still waits is cancelled at once."""
        job = self.folder(tag)
        job.ask("cancel")
        if _queue().get(tag, ("", ""))[0] == "PENDING" or not _gone(job, STOP_SECONDS):
            _slurm("scancel", f"--name={tag}", "--me")
            if not _gone(job, STOP_SECONDS):
                _slurm("scancel", f"--name={tag}", "--me", "--signal=KILL", "--full")
        with _submitting(job):
            if not _gone(job, STOP_SECONDS):
                return False
            if not job.state().status.final:
                job.set_status(Status.CANCELLED)
            job.discard_data()
        return True

    def _submit(self, job: JobFolder) -> None:
        """Hand the job to Slurm. Raises `InvalidRequest` where Slurm refuses it."""
        lock = job.lock()
        if lock is None:  # a worker has it, which Slurm does not know any more
            return
        job.reset(lock)
        os.close(lock)
        kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        environment = [f"{name}={value}" for name, value in {**kept, "FTBRIDGE_HOME": str(self._home)}.items()]
        command = [sys.executable, "-P", "-W", "ignore", "-m", self._command.module, str(job.path)]
        script = f"#!/bin/sh\numask 077\nexec {shlex.join(['env', *environment, *command])}\n"
        own = (f"--job-name={job.path.name}", f"--output={job.path / LOG}", "--open-mode=append", "--parsable")
        safe = ("--dependency=singleton", "--no-requeue", "--signal=B:TERM@30", "--export=NONE")
        ran = _run("sbatch", *self._options, *own, *safe, f"--chdir={job.path}", script=script)
        if ran.returncode:
            raise InvalidRequest(
                f"sbatch refuses the job: {_sentence(ran)}",
                provider=SlurmRunner.provider,
                status=422,
                hint="Correct [runners.NAME] in ftbridge.toml: its partition, account, time, gpus and options.",
            )


def check_slurm() -> str:
    """The version of Slurm here. Raises `MissingExtra` without it, and `ServerTrouble` where it does not answer."""
    _queue()
    return _slurm("sinfo", "--version").strip()


def _report(job: JobFolder, queue: dict[str, tuple[str, str]]) -> JobReport:
    known = report(job)
    state, reason = queue.get(job.path.name, ("", ""))
    if not state:
        return known._replace(alive=known.alive or _is_submitting(job))
    waiting = ""
    if known.state.status in _BEFORE_RUNNING:
        waiting = f"waiting: {reason}" if state == "PENDING" else "starting"
    return known._replace(alive=True, log="", waiting=waiting)


def _queue() -> dict[str, tuple[str, str]]:
    """By name, the state of each batch job of this user that waits or runs, and the reason for which it waits."""
    lines = _slurm("squeue", "--noheader", "--me", "--format=%j|%T|%r").splitlines()
    found: dict[str, tuple[str, str]] = {}
    for line in lines:
        name, state, reason = line.strip().rsplit("|", 2)
        if name not in found or state != "PENDING":  # of two of one name the second waits for the first
            found[name] = (state, reason)
    return found


def _gone(job: JobFolder, seconds: float) -> bool:
    """Whether neither Slurm nor a worker has the job, now or within so many seconds."""
    deadline = time.monotonic() + seconds
    while job.path.name in _queue() or job.alive:
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def _end_of(tag: str) -> str:
    """What Slurm's accounting, where there is any, says of the job's end."""
    ran = _run("sacct", "-X", "-P", "-n", f"--name={tag}", "--format=State,ExitCode")
    last = ran.stdout.strip().splitlines()[-1:] if not ran.returncode else []
    return f"Slurm says {last[0].replace('|', ', exit code ')}" if last else ""


def _slurm(*words: str) -> str:
    """What a command of Slurm's prints. Raises `ServerTrouble` where it fails: the controller does not answer."""
    ran = _run(*words)
    if ran.returncode:
        what = f"{words[0]} failed: {_sentence(ran)}"
        raise ServerTrouble(
            what, provider=SlurmRunner.provider, status=503, hint="Try again once Slurm's controller answers."
        )
    return ran.stdout


def _run(*words: str, script: str = "") -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(words, input=script, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise MissingExtra(
            f"there is no {words[0]} on this machine",
            hint="slurm:MODEL runs on a cluster's login node; slurm:HOST/MODEL reaches one by ssh.",
        ) from None


def _sentence(ran: subprocess.CompletedProcess[str]) -> str:
    lines = ran.stderr.strip().splitlines()
    return lines[-1].removeprefix("sbatch: error: ") if lines else f"exit code {ran.returncode}"


@contextmanager
def _submitting(job: JobFolder) -> Iterator[None]:
    """A block in which no other process submits the job."""
    make_folder(job.path)
    handle = os.open(job.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _is_submitting(job: JobFolder) -> bool:
    try:
        handle = os.open(job.path / _LOCK, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
