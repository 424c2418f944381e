"""The rows of a job that was trained here go when it is over for good, and its checkpoints are listed until then."""

from __future__ import annotations

import os

import pytest

from ftbridge.errors import Conflict, NotFound, ProviderError
from ftbridge.model import Status
from ftbridge.provider import Artifact, RemoteJob
from ftbridge_local.job_folder import JobFolder
from local.lab import Lab, be_worker


def test_the_rows_of_a_finished_job_are_gone_and_its_checkpoints_are_listed(lab: Lab, finished: RemoteJob) -> None:
    folder = lab.folder(finished.remote_id)
    _until_the_worker_is_gone(folder)
    assert folder.data() == []
    saved = lab.provider.checkpoints(finished.remote_id)
    assert [one.step for one in saved] == sorted(one.step for one in saved)
    assert saved
    assert all(one.train_loss is not None and one.valid_loss is not None for one in saved)
    kinds = [one.kind for one in lab.provider.artifacts(finished.remote_id)]
    assert "data" not in kinds
    assert kinds.count("checkpoint") >= len(saved)
    assert kinds.count("model") == 1


def test_a_failed_job_keeps_its_rows_until_they_are_removed_and_is_then_not_resumed(lab: Lab) -> None:
    job = lab.prepare("without-rows")
    job.set_status(Status.FAILED, "out of memory")
    assert [file.name for file in job.data()] == ["training.jsonl", "validation.jsonl"]
    for one in lab.provider.artifacts("without-rows"):
        if one.kind == "data":
            lab.provider.delete(one)
    with pytest.raises(ProviderError, match="has no training data any more") as problem:
        lab.provider.resume("without-rows")
    assert "Submit the dataset again" in problem.value.hint
    assert job.state().status is Status.FAILED


def test_what_a_worker_or_a_paused_job_needs_is_not_deleted(lab: Lab) -> None:
    job = lab.prepare("busy")
    [rows, _held_out] = [one for one in lab.provider.artifacts("busy") if one.kind == "data"]
    lock = job.lock()
    assert lock is not None
    job.set_status(Status.RUNNING)
    with pytest.raises(Conflict, match="is not over"):
        lab.provider.delete(rows)
    os.close(lock)
    job.set_status(Status.PAUSED)
    with pytest.raises(Conflict, match="is not over"):
        lab.provider.delete(rows)
    lab.provider.cancel("busy")
    assert job.data() == []


def test_nothing_outside_of_the_home_is_deleted(lab: Lab) -> None:
    with pytest.raises(NotFound):
        lab.provider.delete(Artifact(kind="file", name=str(lab.data.training)))
    outside = lab.provider.home / "local" / ".." / ".." / lab.data.training.name
    with pytest.raises(NotFound):
        lab.provider.delete(Artifact(kind="file", name=str(outside)))
    assert lab.data.training.exists()


def test_a_worker_reads_the_rows_itself_where_the_cache_was_just_removed(lab: Lab) -> None:
    job = lab.prepare("no-cache", epochs=1)
    for one in lab.provider.leftovers():
        if one.kind == "cache":
            lab.provider.delete(one)
    be_worker(job, lab.provider.home)
    assert job.state().status is Status.SUCCEEDED
    assert job.data() == []


def _until_the_worker_is_gone(folder: JobFolder) -> None:
    """It says how the job ended first, and then removes the rows."""
    lock = folder.lock(timeout=30)
    assert lock is not None
    os.close(lock)
