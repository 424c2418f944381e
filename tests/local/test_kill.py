"""Cancelling kills the worker that holds the job's lock, and nobody else."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ftbridge.model import Status
from ftbridge_local.command import Command
from ftbridge_local.job_documents import JobSpec
from ftbridge_local.job_folder import JobFolder
from ftbridge_local.runners import kill, process
from ftbridge_local.runners.kill import kill_holder
from ftbridge_local.runners.process import ProcessRunner

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "STOP_SECONDS", 0.3)


@pytest.fixture
def runner(tmp_path: Path) -> ProcessRunner:
    return ProcessRunner(tmp_path, Command("none", "none:none"))


@pytest.fixture
def job(runner: ProcessRunner) -> JobFolder:
    job = runner.folder("ftb_1")
    job.path.mkdir(parents=True)
    job.write_spec(JobSpec(model="tiny", base="tiny"))
    job.set_status(Status.RUNNING)
    return job


@pytest.fixture
def innocent() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(SLEEP) as sleeping:
        yield sleeping
        sleeping.kill()


@pytest.fixture
def worker(job: JobFolder) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has the job's lock, which it inherited, and does not look at requests."""
    lock = job.lock()
    assert lock
    with subprocess.Popen(SLEEP, pass_fds=(lock,)) as sleeping:
        os.pwrite(lock, str(sleeping.pid).encode(), 0)
        os.close(lock)
        yield sleeping
        sleeping.kill()


def test_a_worker_that_does_not_stop_is_killed(
    runner: ProcessRunner, job: JobFolder, worker: subprocess.Popen[bytes]
) -> None:
    assert runner.end("ftb_1")
    assert worker.wait(5) == -9
    assert job.state().status is Status.CANCELLED


def test_a_process_that_has_got_the_number_since_lives_on(
    runner: ProcessRunner, job: JobFolder, innocent: subprocess.Popen[bytes]
) -> None:
    lock = job.lock()
    assert lock
    os.pwrite(lock, str(innocent.pid).encode(), 0)
    assert not runner.end("ftb_1")
    os.close(lock)
    assert innocent.poll() is None
    assert runner.end("ftb_1")
    assert innocent.poll() is None


def test_who_only_looks_at_the_lock_is_not_killed(job: JobFolder) -> None:
    lock = job.lock()
    assert lock
    os.close(lock)
    with job.lock_file.open("rb") as looking, subprocess.Popen(SLEEP, pass_fds=(looking.fileno(),)) as other:
        assert not kill_holder(other.pid, job.lock_file)
        assert other.poll() is None
        fcntl.flock(looking, fcntl.LOCK_EX)
        assert kill_holder(other.pid, job.lock_file)
        assert other.wait(5) == -9


@pytest.mark.parametrize("content", [b"0", b"-1", b"1", b"", b"junk", b"\0\0", b"12 34", b"9" * 30, b"\xff"])
def test_what_is_no_number_of_a_process_kills_nobody(runner: ProcessRunner, job: JobFolder, content: bytes) -> None:
    lock = job.lock()
    assert lock
    os.pwrite(lock, content, 0)
    assert not runner.end("ftb_1")
    os.close(lock)


def test_a_worker_that_is_gone_is_no_error(
    runner: ProcessRunner, job: JobFolder, worker: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_and_let_it_end(pid: int, lock: Path) -> bool:
        worker.kill()
        worker.wait(5)
        return kill_holder(pid, lock)

    monkeypatch.setattr(process, "kill_holder", look_and_let_it_end)
    assert runner.end("ftb_1")


def test_a_worker_that_ends_between_look_and_kill_is_no_error(
    worker: subprocess.Popen[bytes], job: JobFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_and_let_it_end(_pid: int, _lock: Path) -> bool:
        worker.kill()
        worker.wait(5)
        return True

    monkeypatch.setattr(kill, "_holds", look_and_let_it_end)
    assert kill_holder(worker.pid, job.lock_file)


def test_without_handles_of_processes_it_is_asked_who_has_the_file_open(
    worker: subprocess.Popen[bytes],
    innocent: subprocess.Popen[bytes],
    job: JobFolder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if shutil.which("lsof") is None:
        pytest.skip("lsof is not installed")
    monkeypatch.delattr(os, "pidfd_open")
    assert not kill_holder(innocent.pid, job.lock_file)
    assert innocent.poll() is None
    assert kill_holder(worker.pid, job.lock_file)
    started = time.monotonic()
    assert worker.wait(5) == -9
    assert time.monotonic() - started < 5
