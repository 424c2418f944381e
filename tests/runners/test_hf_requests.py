"""What is sent to the hub, beside what huggingface_hub sends there for the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from huggingface_hub import HfApi, Volume

from ftbridge.errors import BadAnswer, ConfigError, UsageError
from ftbridge.model import Status
from ftbridge_local.hugging_face.bucket import Bucket
from ftbridge_local.hugging_face.jobs_api import JobsApi
from ftbridge_local.hugging_face.provider import HfProvider
from ftbridge_local.hugging_face.runner import HfRunner
from ftbridge_local.hugging_face.table import HfTable
from ftbridge_local.job_folder import JobFolder
from ftbridge_local.runners.mirror import Mirror
from runners.hub_stub import TOKEN, HubStub

TAG = "ftb_0123456789ab"


@pytest.fixture
def idle_hub(hub: HubStub, monkeypatch: pytest.MonkeyPatch) -> HubStub:
    """A hub without a free machine, and without jobs."""
    monkeypatch.setattr(hub, "machines", 0)
    hub.jobs.clear()
    hub.requests.clear()
    return hub


@pytest.fixture
def api() -> Iterator[JobsApi]:
    made = JobsApi("")
    yield made
    made.close()


@pytest.fixture
def runner(tmp_path: Path, api: JobsApi) -> HfRunner:
    table = HfTable(flavor="a10g-small", timeout="90m", image="acme/trainer:3")
    return HfRunner("big", table, Mirror(tmp_path / "mirror"), api)


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[HfProvider]:
    made = HfProvider(tmp_path / "home")
    yield made
    made.close()


def fill(job: JobFolder) -> None:
    """A job folder with the files that every one has."""
    for name in ("spec.json", "uploads.json", "training.jsonl"):
        (job.path / name).write_text("{}")


def posted(hub: HubStub) -> list[dict[str, Any]]:
    """The bodies of the requests that began a job."""
    return [body for method, path, body in hub.requests if method == "POST" and path == "/api/jobs/alice"]


def asked(hub: HubStub) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """All requests of jobs, without the order of their parameters."""
    urls = [(method, urlsplit(path)) for method, path, _body in hub.requests]
    return [(method, url.path, sorted(parse_qsl(url.query))) for method, url in urls if "/jobs" in url.path]


def test_the_request_that_begins_a_job_is_the_sdks(idle_hub: HubStub, runner: HfRunner) -> None:
    runner.start(TAG, fill)
    [ours] = posted(idle_hub)
    idle_hub.requests.clear()
    HfApi(endpoint=idle_hub.url, token=TOKEN).run_job(
        image="acme/trainer:3",
        command=ours["command"],
        env=ours["environment"],
        secrets={"HF_TOKEN": TOKEN},
        flavor="a10g-small",
        timeout="90m",
        attempts=1,
        name=TAG,
        labels={"ftbridge": TAG, "ftbridge-runner": "big"},
        volumes=[Volume(type="bucket", source="alice/ftbridge-jobs", mount_path="/job", path=TAG, read_only=False)],
        namespace="alice",
    )
    assert posted(idle_hub) == [ours]


def test_lists_and_cancels_are_the_sdks(idle_hub: HubStub, runner: HfRunner) -> None:
    runner.start(TAG, fill)
    sdk, [job] = HfApi(endpoint=idle_hub.url, token=TOKEN), idle_hub.jobs.values()
    idle_hub.requests.clear()
    runner.report([TAG])
    assert runner.end(TAG)
    ours = set(map(json.dumps, asked(idle_hub)))
    idle_hub.requests.clear()
    list(sdk.list_jobs(labels={"ftbridge": TAG, "ftbridge-runner": "big"}, namespace="alice"))
    sdk.cancel_job(job_id=job.id, namespace="alice")
    assert ours == set(map(json.dumps, asked(idle_hub)))


def test_the_token_is_a_secret_of_the_job_and_nothing_else(idle_hub: HubStub, runner: HfRunner, tmp_path: Path) -> None:
    runner.start(TAG, fill)
    [body] = posted(idle_hub)
    assert body.pop("secrets") == {"HF_TOKEN": TOKEN}
    assert TOKEN not in json.dumps(body)
    files = [path for folder in (tmp_path, idle_hub.bucket("alice")) for path in folder.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if TOKEN.encode() in path.read_bytes()]
    assert TOKEN not in repr(runner.__dict__)


def test_a_job_always_has_a_limit_of_time_and_one_attempt(idle_hub: HubStub, provider: HfProvider) -> None:
    provider.runner("cpu-basic").start(TAG, fill)
    [body] = posted(idle_hub)
    assert (body["timeoutSeconds"], body["attempts"], body["flavor"]) == (4 * 3600, 1, "cpu-basic")


def test_a_label_that_is_there_is_not_begun_again(idle_hub: HubStub, runner: HfRunner) -> None:
    for _time in range(3):
        runner.start(TAG, fill)
    assert len(posted(idle_hub)) == 1


def test_a_job_that_waits_for_a_machine_is_queued_and_one_of_an_unknown_stage_unknown(
    idle_hub: HubStub, provider: HfProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.runner("cpu-basic").start(TAG, fill)
    [remote] = provider.find(TAG)
    assert (remote.status, remote.raw_status) == (Status.QUEUED, "waiting for a machine")
    monkeypatch.setattr(idle_hub, "odd_stage", "HIBERNATING")
    [remote] = provider.find(TAG)
    assert (remote.status, remote.raw_status) == (Status.UNKNOWN, "HIBERNATING")


@pytest.mark.parametrize(
    ("stage", "status"), [("ERROR", Status.FAILED), ("DELETED", Status.FAILED), ("CANCELED", Status.CANCELLED)]
)
def test_a_job_that_ends_before_its_worker_began_says_so(
    idle_hub: HubStub, provider: HfProvider, stage: str, status: Status
) -> None:
    provider.runner("cpu-basic").start(TAG, fill)
    [job] = idle_hub.jobs.values()
    job.stage = stage
    [remote] = provider.find(TAG)
    assert (remote.status, remote.raw_status) == (status, stage)
    assert bool(remote.error) is (status is Status.FAILED)


def test_a_job_of_another_machine_is_found_and_ended_here(
    idle_hub: HubStub, provider: HfProvider, tmp_path: Path
) -> None:
    there = HfProvider(tmp_path / "there")
    there.runner("cpu-basic").start(TAG, fill)
    there.close()
    [listed] = provider.jobs()
    assert (listed.tag, listed.remote.remote_id) == (TAG, f"cpu-basic/{TAG}")
    assert [remote.remote_id for remote in provider.find(TAG)] == [f"cpu-basic/{TAG}"]
    provider.cancel(listed.remote.remote_id)
    assert idle_hub.active() == []
    [remote] = provider.poll([listed.remote.remote_id])
    assert remote.status is Status.CANCELLED


def test_a_bucket_that_everybody_reads_gets_no_data(
    idle_hub: HubStub, api: JobsApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = HfRunner("cpu-basic", HfTable(bucket="open"), Mirror(Path("mirror")), api)
    monkeypatch.setattr(idle_hub, "public", {"alice/open"})
    with pytest.raises(UsageError, match="everybody can read the bucket alice/open"):
        runner.bucket.put({"rows": b"private"})
    assert not list(idle_hub.bucket("alice/open").iterdir())


def test_a_list_that_leads_to_another_server_is_not_followed(
    idle_hub: HubStub, runner: HfRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        runner.start(f"{TAG}{number}", fill)
    assert len(runner.tags()) == 5
    monkeypatch.setattr(idle_hub, "url", "http://127.0.0.2:1")
    with pytest.raises(BadAnswer):
        runner.tags()


def test_without_a_token_it_says_how_to_log_in(hub: HubStub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no token"))
    with pytest.raises(ConfigError) as problem:
        list(HfProvider(tmp_path).jobs())
    assert "hf auth login" in problem.value.hint


def test_a_file_that_is_missing_in_the_bucket_is_empty(idle_hub: HubStub, runner: HfRunner, api: JobsApi) -> None:
    runner.start(TAG, fill)
    assert runner.read(TAG, "worker.log") == b""
    assert Bucket(api.account, "alice/nowhere").tree("nothing") == {}


@pytest.mark.parametrize("timeout", ["4", "1m", "0.5h30m", "31d", "-4h"])
def test_a_limit_of_time_is_one(timeout: str) -> None:
    with pytest.raises(ConfigError):
        HfTable.read({"kind": "hf", "timeout": timeout}, {})
