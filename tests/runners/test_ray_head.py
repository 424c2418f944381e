"""Training on a real head of Ray: to the same adapter as here, paused, resumed, cancelled, killed, and forgotten."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TypeAlias

import httpx
import pytest

from ftbridge.dataset import convert
from ftbridge.errors import AuthenticationFailed, Conflict
from ftbridge.model import Hyperparameters, Spec, Status
from ftbridge.provider import Files, RemoteJob
from ftbridge.testing.base import ROWS, new_tag
from ftbridge_local.job_folder import JobFolder
from ftbridge_local.provider import LocalProvider
from ftbridge_local.ray_provider import RayProvider
from ftbridge_local.runners.tables import RayTable
from ftbridge_local.training import TrainingProvider
from runners.ray_head import RAY, RayHead, find_ray

_SECONDS = 300.0


@pytest.fixture(scope="module")
def head(tiny_home: Path) -> Iterator[RayHead]:
    """With the tiny base in its session."""
    ray = find_ray()
    if ray is None:
        pytest.skip(
            f"no Ray is installed: {RAY} does not name the program `ray` of an environment that has ray[default]"
        )
    head = RayHead(ray)
    try:
        head.start()
        shutil.copytree(tiny_home / "local", head.logs / "ftbridge" / "local")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("RAY_AUTH_TOKEN", head.token)
            yield head
    finally:
        head.stop()
        shutil.rmtree(head.folder, ignore_errors=True)


Opener: TypeAlias = Callable[..., RayProvider]


@pytest.fixture
def opened(head: RayHead, tmp_path: Path) -> Iterator[Opener]:
    """Opens providers, with more in their table."""
    with ExitStack() as stack:

        def open_one(**more: object) -> RayProvider:
            table = RayTable.read({**head.table, **more}, {})
            return stack.enter_context(closing(RayProvider(tmp_path / "home", runners={"cluster": table})))

        yield open_one


@pytest.fixture
def provider(opened: Opener) -> RayProvider:
    return opened()


def test_the_adapter_is_the_same_as_that_of_the_same_job_here(
    provider: RayProvider, tmp_path: Path, tiny_home: Path
) -> None:
    here = tmp_path / "here"
    shutil.copytree(tiny_home / "local", here / "local")
    adapters = []
    for one, model in ((provider, "cluster/tiny"), (LocalProvider(here), "tiny")):
        made = _create(one, model, tmp_path, epochs=4)
        _until(one, made, Status.SUCCEEDED)
        one.fetch(made.remote_id, tmp_path / one.name)
        adapters.append((tmp_path / one.name / "adapter_model.safetensors").read_bytes())
    assert adapters[0] == adapters[1]


def test_a_job_is_paused_resumed_and_cancelled(provider: RayProvider, head: RayHead, tmp_path: Path) -> None:
    made = _create(provider, "cluster/tiny", tmp_path, epochs=200)
    _until_step(provider, made)
    provider.pause(made.remote_id)
    _until(provider, made, Status.PAUSED)
    provider.resume(made.remote_id)
    _until_step(provider, made, "continuing")
    tag = made.remote_id.partition("/")[2]
    headers = {"authorization": f"Bearer {head.token}"}
    httpx.post(f"{head.url}/api/jobs/{tag}-2/stop", headers=headers)  # as its owner may, with `ray job stop`
    _until(provider, made, Status.PAUSED)
    provider.cancel(made.remote_id)
    _until(provider, made, Status.CANCELLED)
    job = JobFolder(head.logs / "ftbridge" / "local" / "jobs" / tag)
    assert not job.alive
    assert not job.data()


def test_a_job_that_no_node_has_room_for_waits_in_rays_words_until_it_is_cancelled(
    opened: Opener, tmp_path: Path
) -> None:
    provider = opened(num_gpus=1)
    made = _create(provider, "cluster/tiny", tmp_path, epochs=1)
    waiting = _until(provider, made, Status.QUEUED)
    assert "waiting for resources" in str(waiting.raw_status)
    with pytest.raises(Conflict):
        provider.pause(made.remote_id)
    provider.cancel(made.remote_id)
    _until(provider, made, Status.CANCELLED)


def test_a_head_wants_its_token(provider: RayProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    monkeypatch.setenv("HOME", "/nonexistent")
    with pytest.raises(AuthenticationFailed) as problem:
        list(provider.jobs())
    assert "RAY_AUTH_TOKEN" in problem.value.hint


def test_a_job_in_a_shared_folder_outlives_its_worker_and_the_head(
    head: RayHead, opened: Opener, tmp_path: Path, tiny_home: Path
) -> None:
    shared = tmp_path / "shared"
    shutil.copytree(tiny_home / "local", shared / "local")
    provider = opened(folder=str(shared))
    made = _create(provider, "cluster/tiny", tmp_path, epochs=40)
    job = JobFolder(shared / "local" / "jobs" / made.remote_id.partition("/")[2])
    _until_step(provider, made, "checkpoint")
    assert job.worker_pid
    os.kill(job.worker_pid, signal.SIGKILL)
    assert "-9" in str(_until(provider, made, Status.FAILED).error)

    head.stop()
    head.start()
    assert "restarted" in str(_until(provider, made, Status.FAILED).error)
    assert [one.status for one in provider.find(job.path.name)] == [Status.FAILED]
    provider.resume(made.remote_id)
    _until(provider, made, Status.SUCCEEDED)
    assert (provider.fetch(made.remote_id, tmp_path / "out").path or Path()).is_dir()
    assert any("continuing" in (event.message or "") for event in provider.events(made.remote_id, ""))


def _create(provider: TrainingProvider, model: str, folder: Path, *, epochs: int) -> RemoteJob:
    data, out = folder / "rows.jsonl", folder / "converted.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
    hyperparameters = Hyperparameters(epochs=epochs, learning_rate=0.001)
    spec = Spec(target=f"{provider.name}:{model}", data=data, hyperparameters=hyperparameters)
    conversion = convert(data, provider.converter(spec, model), out)
    files = Files(training=provider.upload(out, key=conversion.key))
    return provider.create(spec, model, files, tag=new_tag())


def _until(provider: TrainingProvider, made: RemoteJob, status: Status) -> RemoteJob:
    deadline = time.monotonic() + _SECONDS
    while True:
        [remote] = provider.poll([made.remote_id])
        if remote.status is status:
            return remote
        assert not remote.status.final, remote
        assert time.monotonic() < deadline, remote
        time.sleep(0.2)


def _until_step(provider: TrainingProvider, made: RemoteJob, after: str = "") -> None:
    """Until a step was made, after an event that has this word in it."""
    deadline = time.monotonic() + _SECONDS
    while True:
        events = list(provider.events(made.remote_id, ""))
        first = next((n for n, one in enumerate(events) if after in f"{one.kind} {one.message}"), len(events))
        if any(one.kind == "metric" for one in events[first + 1 :]):
            return
        assert time.monotonic() < deadline, events
        time.sleep(0.2)
