"""Jobs at a stub of the hub that really runs them: the same adapter, pause and resume, an end in time."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ftbridge.dataset import convert
from ftbridge.model import FINAL, Hyperparameters, Spec, Status
from ftbridge.provider import Files, Provider, RemoteJob
from ftbridge.testing import ROWS
from ftbridge_local.hugging_face.mounted import bring_back, bring_in
from ftbridge_local.hugging_face.provider import HfProvider
from ftbridge_local.provider import LocalProvider
from runners.hub_stub import HubStub, until

LONG = 400


@pytest.fixture
def provider(training_hub: HubStub, tmp_path: Path) -> Iterator[HfProvider]:
    made = HfProvider(tmp_path / "home")
    yield made
    made.close()


def begin(provider: Provider, model: str, tag: str, folder: Path, epochs: int) -> RemoteJob:
    """A job on twelve rows."""
    rows = folder / "rows.jsonl"
    rows.write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
    numbers = Hyperparameters(epochs=epochs, seed=7)
    spec = Spec(target=f"{provider.name}:{model}", data=rows, hyperparameters=numbers)
    conversion = convert(rows, provider.converter(spec, model), folder / "converted.jsonl")
    file = provider.upload(conversion.out, key=conversion.key)
    return provider.create(spec, model, Files(training=file), tag=tag)


def wait(provider: Provider, remote_id: str, *statuses: Status) -> RemoteJob:
    """The job once it has one of these statuses."""
    deadline = time.monotonic() + 120
    while (remote := next(iter(provider.poll([remote_id])))).status not in statuses:
        assert time.monotonic() < deadline, remote
        assert not remote.status.final, remote
        time.sleep(0.2)
    return remote


def adapter(provider: Provider, remote_id: str, folder: Path) -> str:
    """The SHA-256 of the result's weights."""
    provider.fetch(remote_id, folder)
    return hashlib.sha256((folder / "adapter_model.safetensors").read_bytes()).hexdigest()


def test_it_is_the_adapter_that_this_machine_trains(
    provider: HfProvider, training_hub: HubStub, tmp_path: Path
) -> None:
    there = begin(provider, "cpu-basic/tiny", "ftb_same1", tmp_path, 2).remote_id
    assert training_hub.home
    local = LocalProvider(training_hub.home)
    here = begin(local, "tiny", "ftb_same2", tmp_path, 2).remote_id
    wait(provider, there, *FINAL)
    wait(local, here, *FINAL)
    assert adapter(provider, there, tmp_path / "there") == adapter(local, here, tmp_path / "here")


def test_it_pauses_and_another_job_of_the_tag_goes_on(
    provider: HfProvider, training_hub: HubStub, tmp_path: Path
) -> None:
    made = begin(provider, "cpu-basic/tiny", "ftb_pause", tmp_path, LONG)
    wait(provider, made.remote_id, Status.RUNNING)
    provider.pause(made.remote_id)
    wait(provider, made.remote_id, Status.PAUSED)
    provider.resume(made.remote_id)
    assert [job.body["labels"]["ftbridge"] for job in training_hub.of("ftb_pause")] == ["ftb_pause"] * 2
    wait(provider, made.remote_id, Status.RUNNING)
    steps = [event.step or 0 for event in provider.events(made.remote_id, "") if event.kind == "metric"]
    assert steps == sorted(steps), "it went on where it had stopped"
    provider.cancel(made.remote_id)
    assert wait(provider, made.remote_id, Status.CANCELLED).cost_usd
    assert training_hub.active("ftb_pause") == []


def test_a_container_that_is_killed_goes_on_to_the_same_adapter(
    provider: HfProvider, training_hub: HubStub, tmp_path: Path
) -> None:
    made = begin(provider, "cpu-basic/tiny", "ftb_killed", tmp_path, 40)
    kept = training_hub.bucket("alice/ftbridge-jobs") / "ftb_killed" / "kept.json"
    until(lambda: kept.exists() and json.loads(kept.read_text()))
    [job] = training_hub.active("ftb_killed")
    assert job.process
    os.killpg(job.process.pid, signal.SIGKILL)
    remote = wait(provider, made.remote_id, Status.FAILED)
    assert "the job at Hugging Face ended as ERROR" in (remote.error or "")
    provider.resume(made.remote_id)
    wait(provider, made.remote_id, Status.SUCCEEDED)
    messages = [event.message or "" for event in provider.events(made.remote_id, "")]
    assert any("checkpoint" in message for message in messages), messages
    assert training_hub.home
    local = LocalProvider(training_hub.home)
    here = begin(local, "tiny", "ftb_whole", tmp_path, 40).remote_id
    wait(local, here, *FINAL)
    assert adapter(provider, made.remote_id, tmp_path / "there") == adapter(local, here, tmp_path / "here")


def test_it_pauses_before_its_time_is_over(
    provider: HfProvider, training_hub: HubStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(training_hub.plan, "seconds", 5.0)
    made = begin(provider, "cpu-basic/tiny", "ftb_limit", tmp_path, LONG)
    wait(provider, made.remote_id, Status.PAUSED)
    until(lambda: not training_hub.active("ftb_limit"))
    [job] = training_hub.of("ftb_limit")
    assert job.stage == "COMPLETED"
    assert json.loads(job.body["command"][-1])["seconds"] == job.body["timeoutSeconds"] == 4 * 3600
    provider.cancel(made.remote_id)


def test_a_second_job_of_a_tag_leaves_it_to_the_first(
    provider: HfProvider, training_hub: HubStub, tmp_path: Path
) -> None:
    made = begin(provider, "cpu-basic/tiny", "ftb_twice", tmp_path, LONG)
    [first] = training_hub.of("ftb_twice")
    second = training_hub.create(first.body)
    assert second.process
    assert second.process.wait(60) == 0
    assert second.log
    assert f"job {first.id} works on ftb_twice already" in second.log.read_text()
    wait(provider, made.remote_id, Status.RUNNING)
    provider.cancel(made.remote_id)
    assert training_hub.active("ftb_twice") == []


def test_a_checkpoint_of_which_a_part_came_is_none(tmp_path: Path) -> None:
    mount, job = tmp_path / "mount", tmp_path / "job"
    for name in ("status.json", "training.jsonl", "checkpoints/step-000002/state"):
        (mount / name).parent.mkdir(parents=True, exist_ok=True)
        (mount / name).write_text("{}")
    seen = bring_in(mount, job)
    assert sorted(seen) == ["training.jsonl"]
    (job / "checkpoints" / "step-000001").mkdir(parents=True)
    (job / "checkpoints" / "step-000001" / "state").write_text("whole")
    (job / "training.jsonl").unlink()
    bring_back(job, mount, seen)
    assert not (mount / "training.jsonl").exists()
    again = bring_in(mount, tmp_path / "again")
    assert sorted(again) == ["checkpoints/step-000001/state"]
