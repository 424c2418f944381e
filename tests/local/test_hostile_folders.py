"""Job folders that were damaged, filled up or removed: it is reported of that job, and the others go on."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ftbridge.errors import InputError, ListingUnfinished
from ftbridge.model import Status
from ftbridge.provider import Files, Listed
from ftbridge_local.job_documents import JobSpec
from ftbridge_local.job_folder import JobFolder
from ftbridge_local.out_of_memory import OomCount, count_oom_kills, killed_since
from ftbridge_local.provider import LocalProvider
from ftbridge_local.trainer import __main__ as worker
from ftbridge_local.trainer.full_disk import is_full_disk

JUNK = [b"", b"{", b"null", b"[]", b"\0" * 50, b"\xff\xfe", b"[" * 100_000]


def make(home: Path, tag: str) -> JobFolder:
    job = JobFolder(home / "local" / "jobs" / tag)
    job.path.mkdir(parents=True)
    job.write_spec(JobSpec(model="tiny", base="tiny"))
    (job.path / "uploads.json").write_text(Files(training="rows").model_dump_json())
    job.set_status(Status.RUNNING)
    return job


@pytest.fixture
def jobs(home: Path) -> list[JobFolder]:
    return [make(home, f"ftb_{name}") for name in ("aaaa", "bbbb")]


@pytest.fixture
def provider(home: Path) -> LocalProvider:
    return LocalProvider(home)


@pytest.mark.parametrize("content", JUNK, ids=lambda content: repr(content)[:20])
def test_a_status_that_cannot_be_read_fails_that_job_and_can_be_resumed_from(
    provider: LocalProvider, jobs: list[JobFolder], content: bytes
) -> None:
    (jobs[0].path / "status.json").write_bytes(content)
    broken, other = provider.poll([job.path.name for job in jobs])
    assert broken.status is Status.FAILED
    assert "status.json of job ftb_aaaa cannot be read" in (broken.error or "")
    assert "`ftbridge resume ftb_aaaa`" in (broken.error or "")
    assert "status.json" not in (other.error or "")
    provider.cancel("ftb_aaaa")
    assert next(iter(provider.poll(["ftb_aaaa"]))).status is Status.CANCELLED


@pytest.mark.parametrize("name", ["events.jsonl", "status.json"])
def test_a_pipe_or_a_device_in_place_of_a_file_is_not_read(
    provider: LocalProvider, jobs: list[JobFolder], name: str
) -> None:
    for job in jobs:
        (job.path / name).unlink()
    os.mkfifo(jobs[0].path / name)
    (jobs[1].path / name).symlink_to("/dev/zero")
    assert len(list(provider.poll([job.path.name for job in jobs]))) == 2


@pytest.mark.parametrize("content", JUNK[:-1], ids=lambda content: repr(content)[:20])
def test_a_spec_that_cannot_be_read_hides_no_other_job(
    provider: LocalProvider, jobs: list[JobFolder], content: bytes
) -> None:
    (jobs[0].path / "spec.json").write_bytes(content)
    listed: list[Listed] = []
    with pytest.raises(ListingUnfinished, match="cannot be read"):
        listed.extend(provider.jobs())
    assert [job.tag for job in listed] == ["ftb_bbbb"]
    with pytest.raises(InputError, match=r"spec\.json of job ftb_aaaa cannot be read"):
        jobs[0].spec()


@pytest.mark.parametrize("line", [b"junk", b"\0\0\0", b"", b"\xff", b"[" * 99_999, b'{"a"\r:1}'], ids=repr)
def test_a_line_of_junk_is_a_message_and_the_lines_after_it_are_read(jobs: list[JobFolder], line: bytes) -> None:
    jobs[0].add_event("message", message="before")
    with (jobs[0].path / "events.jsonl").open("ab") as events:
        events.write(line + b"\n")
    jobs[0].add_event("message", message="after")
    read = list(jobs[0].events())
    assert [event.message for event in read if event.kind == "message"][::2] == ["before", "after"]
    assert "cannot be read" in (read[-2].message or "")
    assert list(jobs[0].events(since=int(read[-2].cursor))) == read[-1:]


def test_zeros_at_the_end_are_cut_off_before_the_next_line(jobs: list[JobFolder]) -> None:
    with (jobs[0].path / "events.jsonl").open("ab") as events:
        events.write(b'{"half": "a line\0\0\0\0')
    assert [event.kind for event in jobs[0].events()] == ["status"]
    jobs[0].add_event("message", message="after")
    assert [event.message for event in jobs[0].events()] == [None, "after"]


@pytest.fixture
def small_disk(home: Path) -> Iterator[Path]:
    """The folder of the jobs on a disk of two megabytes."""
    folder = home / "local" / "jobs"
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def work(job: JobFolder) -> int:
    """Be its worker in this process, and let go of it."""
    lock = job.lock()
    assert lock is not None
    try:
        return worker.main(str(job.path), str(lock))
    finally:
        os.close(lock)


def test_a_disk_that_is_full_is_said_and_the_job_resumes_once_there_is_room(
    small_disk: Path, provider: LocalProvider, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(job: JobFolder, _home: Path) -> Any:
        with (small_disk / "ballast").open("wb", buffering=0) as ballast:
            while True:
                ballast.write(b"x" * 4096)

    job = make(home, "ftb_aaaa")
    monkeypatch.setattr(worker, "train", fill)
    assert work(job) == 1
    [remote] = provider.poll(["ftb_aaaa"])
    assert remote.status is Status.FAILED
    assert f"the disk that holds {job.path} is full" in (remote.error or "")
    assert "`ftbridge resume ftb_aaaa`" in (remote.error or "")
    (small_disk / "ballast").unlink()
    monkeypatch.setattr(worker, "train", lambda _job, _home: (Status.PAUSED, None))
    assert work(job) == 0
    assert next(iter(provider.poll(["ftb_aaaa"]))).status is Status.PAUSED


def test_a_full_disk_is_known_by_what_led_to_an_error() -> None:
    outer = RuntimeError("unexpected pos 128")
    outer.__context__ = OSError(28, "No space left on device")
    assert is_full_disk(outer)
    assert is_full_disk(ValueError("I/O error: No space left on device (os error 28)"))
    assert not is_full_disk(OSError(2, "No such file"))


def test_a_worker_that_the_system_ended_for_want_of_memory_is_reported_as_such(
    provider: LocalProvider, jobs: list[JobFolder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = tmp_path / "memory.events"
    counter.write_text("low 0\noom 1\noom_kill 1\n")
    monkeypatch.setattr("ftbridge_local.job_folder.count_oom_kills", lambda: OomCount(file=str(counter), kills=1))
    jobs[0].set_status(Status.RUNNING)
    assert "a signal killed it" in (next(iter(provider.poll(["ftb_aaaa"]))).error or "")
    counter.write_text("low 0\noom 2\noom_kill 2\n")
    assert "the system ran out of memory and ended it" in (next(iter(provider.poll(["ftb_aaaa"]))).error or "")
    assert not killed_since(None)


def test_this_machine_counts_what_it_ends_for_want_of_memory() -> None:
    count = count_oom_kills()
    assert count is None or count.kills >= 0


def test_a_worker_that_is_gone_is_known_before_its_lock_is_free(jobs: list[JobFolder]) -> None:
    ended = subprocess.Popen(["true"])
    jobs[0].lock_file.write_text(str(ended.pid))
    ended.wait()
    assert jobs[0].worker_ends
    jobs[0].lock_file.write_text(str(os.getpid()))
    assert not jobs[0].worker_ends
