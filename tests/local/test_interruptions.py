"""Jobs that are cancelled, paused, killed and started twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ftbridge.errors import JobFailed, JobNotFound, ModelNotFound, ProviderError
from ftbridge.model import Status
from ftbridge.provider import Files, RemoteJob
from ftbridge_local.job_folder import JobFolder
from local.lab import Lab

LONG: dict[str, Any] = {"epochs": 500, "batch_size": 4}


def worker_of(lab: Lab, tag: str) -> int:
    worker = lab.folder(tag).worker_pid
    assert worker is not None
    return worker


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            if os.waitpid(pid, os.WNOHANG)[0]:
                return
        except ChildProcessError:
            return
        time.sleep(0.01)


def test_a_killed_worker_is_seen_at_once_and_resume_gives_the_same_losses_to_the_last_bit(
    lab: Lab, finished: RemoteJob
) -> None:
    lab.submit("killed")
    lab.wait("killed", lambda: any(event.kind == "checkpoint" for event in lab.events("killed")))
    kill(worker_of(lab, "killed"))
    remote = lab.poll("killed")
    assert remote.status is Status.FAILED
    assert remote.error is not None
    assert "died while running without an error message: a signal killed it" in remote.error
    assert remote.error.endswith("`ftbridge resume killed` continues from the last checkpoint")
    assert lab.poll("killed") == remote
    done = max(lab.losses("killed"))
    assert done < 24

    lab.provider.resume("killed")
    assert lab.wait("killed").status is Status.SUCCEEDED
    assert lab.losses("killed") == lab.losses("finished")
    assert any(event.message and "continuing from the checkpoint" in event.message for event in lab.events("killed"))


def test_a_paused_job_goes_on_where_it_was(lab: Lab, finished: RemoteJob) -> None:
    lab.submit("paused")
    lab.wait("paused", lambda: len(lab.losses("paused")) >= 2)
    lab.provider.pause("paused")
    assert lab.wait("paused").status is Status.PAUSED
    lab.provider.resume("paused")
    assert lab.wait("paused").status is Status.SUCCEEDED
    assert lab.losses("paused") == lab.losses("finished")


def test_a_running_job_is_cancelled_within_five_seconds_and_the_worker_is_gone(lab: Lab) -> None:
    lab.submit("cancelled", **LONG)
    lab.wait("cancelled", lambda: len(lab.losses("cancelled")) >= 1)
    began = time.monotonic()
    lab.provider.cancel("cancelled")
    assert time.monotonic() - began < 5
    assert not lab.folder("cancelled").alive
    assert lab.poll("cancelled").status is Status.CANCELLED
    with pytest.raises(ProviderError, match="is cancelled"):
        lab.provider.resume("cancelled")


def test_a_job_is_cancelled_while_its_worker_is_still_loading(lab: Lab) -> None:
    lab.submit("early", **LONG)
    began = time.monotonic()
    lab.provider.cancel("early")
    assert time.monotonic() - began < 6
    assert not lab.folder("early").alive
    assert lab.poll("early").status is Status.CANCELLED


def test_sigterm_makes_a_worker_stop_with_a_checkpoint(lab: Lab) -> None:
    lab.submit("terminated", **LONG)
    lab.wait("terminated", lambda: len(lab.losses("terminated")) >= 1)
    os.kill(worker_of(lab, "terminated"), signal.SIGTERM)
    assert lab.wait("terminated").status is Status.PAUSED
    assert any(event.kind == "checkpoint" for event in lab.events("terminated"))


def test_many_creates_of_one_tag_start_one_worker(lab: Lab) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: lab.submit("twice", **LONG), range(4)))
    assert {remote.remote_id for remote in made} == {"twice"}
    lab.wait("twice", lambda: bool(lab.folder("twice").worker_pid))
    first = worker_of(lab, "twice")
    lab.submit("twice", **LONG)
    assert worker_of(lab, "twice") == first
    validating = [event for event in lab.events("twice") if event.status is Status.VALIDATING]
    assert len(validating) <= 1
    lab.provider.cancel("twice")


def test_a_second_worker_by_hand_goes_away(lab: Lab, finished: RemoteJob) -> None:
    folder = lab.folder("finished")
    lock = folder.lock()
    assert lock is not None
    before = lab.events("finished")
    done = subprocess.run(
        [sys.executable, "-m", "ftbridge_local.trainer", str(folder.path)],
        capture_output=True,
        text=True,
        check=False,
    )
    os.close(lock)
    assert done.returncode == 1
    assert "has a worker already" in done.stderr
    assert lab.events("finished") == before


def test_a_job_whose_worker_never_began_is_not_found_and_is_made_again(lab: Lab) -> None:
    folder = lab.folder("unborn")
    lock = folder.lock()
    assert lock is not None
    folder.set_status(Status.SUBMITTING)  # as far as a process gets that is killed just before it starts the worker
    os.close(lock)
    assert lab.provider.find("unborn") == []
    assert lab.poll("unborn").status is Status.FAILED
    lab.submit("unborn", **LONG)
    assert lab.provider.find("unborn")
    lab.provider.cancel("unborn")


def test_a_job_of_a_model_that_is_nowhere_is_not_made(lab: Lab) -> None:
    with pytest.raises(ModelNotFound):
        lab.provider.create(lab.spec(), "/nowhere", Files(training=str(lab.data.training)), tag="nowhere")
    assert not lab.folder("nowhere").path.exists()


def test_a_job_that_is_over_can_be_neither_resumed_nor_changed_by_cancel(lab: Lab, finished: RemoteJob) -> None:
    with pytest.raises(ProviderError, match="is succeeded"):
        lab.provider.resume("finished")
    lab.provider.cancel("finished")
    assert lab.poll("finished") == finished


def test_a_job_nobody_made_is_named(lab: Lab) -> None:
    with pytest.raises(JobNotFound, match="job nobody"):
        lab.provider.cancel("nobody")


def test_a_job_that_is_not_done_has_nothing_to_fetch(lab: Lab) -> None:
    folder = lab.folder("waiting")
    lock = folder.lock()
    assert lock is not None
    folder.set_status(Status.RUNNING)
    os.close(lock)
    with pytest.raises(JobFailed, match="has no result"):
        lab.provider.fetch("waiting", folder.path / "out")


def test_an_event_that_was_cut_short_is_left_out_and_then_replaced(lab: Lab) -> None:
    folder = JobFolder(lab.folder("cut").path)
    folder.path.mkdir(parents=True)
    folder.add_event("message", message="one")
    with (folder.path / "events.jsonl").open("ab") as file:
        file.write(b'{"at": "2026-')
    assert [event.message for event in folder.events()] == ["one"]
    folder.add_event("message", message="two")
    first, second = folder.events()
    assert [first.message, second.message] == ["one", "two"]
    assert list(folder.events(since=int(first.cursor))) == [second]
    assert list(folder.events(since=int(second.cursor))) == []
    assert int(second.cursor) == (folder.path / "events.jsonl").stat().st_size


def test_the_last_words_of_a_worker_are_told(lab: Lab) -> None:
    folder = lab.folder("wordy")
    lock = folder.lock()
    assert lock is not None
    folder.set_status(Status.RUNNING)
    folder.log.write_text("Fatal Python error: Segmentation fault")
    os.close(lock)
    assert lab.poll("wordy").error == (
        "the worker died while running; `ftbridge resume wordy` continues from the last checkpoint; "
        "the end of its log: Fatal Python error: Segmentation fault"
    )
