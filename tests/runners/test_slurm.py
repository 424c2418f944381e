"""Jobs on a Slurm cluster: waiting, ended from outside, out of time, and submitted twice."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ftbridge.errors import InvalidRequest, MissingExtra, ServerTrouble
from ftbridge.model import Hyperparameters, Spec, Status
from ftbridge.provider import Files, RemoteJob
from ftbridge_local.elsewhere import HERE, SlurmProvider
from ftbridge_local.runners.tables import SlurmTable
from runners.same_job import ADAPTER, HYPERPARAMETERS, write_rows_of_job
from runners.slurm_cluster import SlurmCluster

TAG, ID = "ftb_000000000001", f"{HERE}/ftb_000000000001"


class OnSlurm:
    """A provider on the cluster's login node, with a home of its own in which the tiny base is ready."""

    def __init__(self, home: Path, tiny_home: Path) -> None:
        for folder in (home, home / "runners" / "slurm" / HERE):
            shutil.copytree(tiny_home / "local", folder / "local")
        self.home = home
        self.rows = write_rows_of_job(home / "rows.jsonl")
        self.provider = self.opened()

    def opened(self, **table: object) -> SlurmProvider:
        return SlurmProvider(self.home, runners={HERE: SlurmTable.model_validate(table)})

    def create(self, provider: SlurmProvider | None = None, **hyperparameters: object) -> RemoteJob:
        given = Hyperparameters.model_validate({**HYPERPARAMETERS, **hyperparameters})
        spec = Spec(target="slurm:tiny", data=self.rows, hyperparameters=given)
        provider = provider or self.provider
        return provider.create(spec, "tiny", Files(training=provider.upload(self.rows, key="rows")), tag=TAG)

    def wait(self, holds: Callable[[RemoteJob], bool], seconds: float = 120) -> RemoteJob:
        deadline = time.monotonic() + seconds
        while not holds(job := next(iter(self.provider.poll([ID])))):
            assert time.monotonic() < deadline, job
            time.sleep(0.3)
        return job


@pytest.fixture
def on_slurm(slurm_cluster: SlurmCluster, home: Path, tiny_home: Path) -> Iterator[OnSlurm]:
    made = OnSlurm(home, tiny_home)
    yield made
    slurm_cluster.ask("scancel", f"--name={TAG}", "--signal=KILL", "--full")
    while slurm_cluster.ask("squeue", "--noheader", f"--name={TAG}").strip():  # every test's job has this name
        time.sleep(0.2)


@pytest.fixture
def drained(slurm_cluster: SlurmCluster) -> Iterator[Callable[[], str]]:
    """Within it no job begins, until it is called."""

    def resume() -> str:
        return slurm_cluster.ask("scontrol", "update", "nodename=localhost", "state=resume")

    slurm_cluster.ask("scontrol", "update", "nodename=localhost", "state=drain", "reason=test")
    yield resume
    resume()


def test_a_job_that_waits_is_queued_with_the_reason_and_begins_once(
    on_slurm: OnSlurm, slurm_cluster: SlurmCluster, drained: Callable[[], str], adapter: bytes
) -> None:
    assert on_slurm.create().status is Status.QUEUED
    assert on_slurm.create().status is Status.QUEUED
    waiting = on_slurm.wait(lambda job: job.raw_status != "waiting: None")
    assert waiting.raw_status in ("waiting: Resources", "waiting: ReqNodeNotAvail, UnavailableNodes:localhost")
    assert slurm_cluster.ask("squeue", "--noheader", "--format=%j").split() == [TAG]
    assert [job.remote_id for job in on_slurm.provider.find(TAG)] == [ID]
    drained()
    assert on_slurm.wait(lambda job: job.status.final).status is Status.SUCCEEDED
    result = on_slurm.provider.fetch(ID, on_slurm.home / "out")
    assert (Path(str(result.path)) / ADAPTER).read_bytes() == adapter


def test_a_job_that_waits_is_cancelled_at_once(on_slurm: OnSlurm, drained: Callable[[], str]) -> None:
    on_slurm.create()
    on_slurm.provider.cancel(ID)
    assert on_slurm.wait(lambda job: job.status.final, 1).status is Status.CANCELLED


def test_two_batch_jobs_of_one_name_run_the_job_once(on_slurm: OnSlurm, slurm_cluster: SlurmCluster) -> None:
    on_slurm.create()
    on_slurm.provider.runner(HERE)._submit(on_slurm.provider.runner(HERE).folder(TAG))  # type: ignore[attr-defined]
    assert on_slurm.wait(lambda job: job.status.final).status is Status.SUCCEEDED
    deadline = time.monotonic() + 60
    while slurm_cluster.ask("squeue", "--noheader"):
        assert time.monotonic() < deadline
        time.sleep(0.3)
    statuses = [event.status for event in on_slurm.provider.events(ID, "") if event.kind == "status"]
    assert statuses == [Status.VALIDATING, Status.RUNNING, Status.SUCCEEDED]


def test_a_job_that_is_cancelled_from_outside_is_paused_and_goes_on(
    on_slurm: OnSlurm, slurm_cluster: SlurmCluster
) -> None:
    on_slurm.create(epochs=200)
    on_slurm.wait(lambda job: job.status is Status.RUNNING)
    slurm_cluster.ask("scancel", f"--name={TAG}")
    on_slurm.wait(lambda job: job.status is Status.PAUSED)
    on_slurm.provider.resume(ID)
    on_slurm.wait(lambda job: job.status is Status.RUNNING)
    on_slurm.provider.cancel(ID)
    assert on_slurm.wait(lambda job: job.status.final).status is Status.CANCELLED


def test_before_its_time_limit_the_worker_pauses(on_slurm: OnSlurm, slurm_cluster: SlurmCluster) -> None:
    on_slurm.create(on_slurm.opened(options=["--signal=B:TERM@55"], time=10), epochs=200)
    on_slurm.wait(lambda job: job.status is Status.RUNNING)
    slurm_cluster.ask("scancel", f"--name={TAG}", "--batch", "--signal=TERM")  # as Slurm does by itself
    assert on_slurm.wait(lambda job: job.status is Status.PAUSED).status is Status.PAUSED


def test_what_slurm_refuses_is_told_in_its_words(on_slurm: OnSlurm) -> None:
    with pytest.raises(InvalidRequest, match=r"sbatch refuses the job: .*Invalid partition") as problem:
        on_slurm.create(on_slurm.opened(partition="nowhere"))
    assert problem.value.status == 422
    assert on_slurm.provider.find(TAG) == []


def test_without_a_controller_nothing_is_concluded(
    on_slurm: OnSlurm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "squeue").write_text("#!/bin/sh\necho error: Unable to contact slurm controller >&2; exit 1\n")
    (tmp_path / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(ServerTrouble, match=r"squeue failed: .*Unable to contact"):
        on_slurm.provider.find(TAG)


def test_a_machine_without_slurm_says_so(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (home / "runners" / "slurm" / HERE).mkdir(parents=True)
    with pytest.raises(MissingExtra, match="there is no squeue on this machine"):
        SlurmProvider(home).find(TAG)
