"""What the runner of Ray makes of the head's answers: tokens, addresses, lost jobs, and lists."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ftbridge.errors import (
    ConfigError,
    Conflict,
    FtbridgeError,
    InvalidRequest,
    NetworkError,
    ServerTrouble,
    TargetError,
    UsageError,
)
from ftbridge.loopback import LoopbackServer
from ftbridge.model import Status
from ftbridge_local.job_documents import JobSpec
from ftbridge_local.job_folder import JobFolder
from ftbridge_local.ray_provider import RayProvider
from ftbridge_local.runners import ray_package
from ftbridge_local.runners.ray import RayRunner
from ftbridge_local.runners.runner import JobReport
from ftbridge_local.runners.tables import RayTable
from runners.ray_stub import TOKEN, RayStub

TAG = "ftb_0123456789ab"
_WAITING, _AT_ONCE = {"num_gpus": 1}, {"python": "/bin/true"}  # for ever; and over without a word


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[RayStub]:
    stub = RayStub(tmp_path / "ray")
    yield stub
    stub.close()


@pytest.fixture
def url(stub: RayStub, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    with LoopbackServer(stub.app()) as server:
        yield server.url


_opened: list[RayProvider] = []


@pytest.fixture(autouse=True)
def close_connections() -> Iterator[None]:
    yield
    while _opened:
        _opened.pop().close()


def _runner(url: str, home: Path, **table: object) -> RayRunner:
    provider = RayProvider(
        home, runners={"box": RayTable.read({"address": url, "python": sys.executable, **table}, {})}
    )
    _opened.append(provider)
    runner = provider.runner("box")
    assert isinstance(runner, RayRunner)
    return runner


def _ended(runner: RayRunner) -> JobReport:
    deadline = time.monotonic() + 30
    while (report := runner.report([TAG])[0]).alive:
        assert time.monotonic() < deadline, report
        time.sleep(0.02)
    return report


def _fill(job: JobFolder) -> None:
    job.write_spec(JobSpec(model="tiny", base="tiny"))
    (job.path / "uploads.json").write_text('{"training": "rows"}')
    (job.path / "training.jsonl").write_text('{"text": "a"}\n')


def test_a_job_that_is_created_by_two_at_once_runs_once(stub: RayStub, url: str, tmp_path: Path) -> None:
    first, second = (_runner(url, tmp_path / name, **_WAITING) for name in ("one", "two"))

    def fill_as_the_other_creates_it(job: JobFolder) -> None:
        first.start(TAG, _fill)
        _fill(job)

    with pytest.raises(ServerTrouble, match="already exists"):
        second.start(TAG, fill_as_the_other_creates_it)
    assert list(stub.jobs) == [TAG]
    assert [report.alive for report in second.report([TAG])] == [True]
    second.start(TAG, _fill)  # which is what the core does then: nothing happens
    assert list(stub.jobs) == [TAG]


def test_a_job_whose_creation_was_cut_off_before_it_arrived_is_created_again(
    stub: RayStub, url: str, tmp_path: Path
) -> None:
    runner = _runner(url, tmp_path, **_WAITING)
    stub.faults.add("create_job=cut")
    with pytest.raises(NetworkError):
        runner.start(TAG, _fill)
    assert runner.report([TAG]) == []
    assert runner.tags() == []
    runner.start(TAG, _fill)
    assert runner.tags() == [TAG]


def test_a_job_that_the_head_has_forgotten_has_failed_and_is_not_begun_again(
    stub: RayStub, url: str, tmp_path: Path
) -> None:
    runner = _runner(url, tmp_path, **_WAITING)
    runner.start(TAG, _fill)
    stub.forget()
    [report] = runner.report([TAG])
    assert report.died
    assert "restarted" in report.log
    assert runner.tags() == [TAG]
    assert runner.resume(TAG) == "without data"
    assert not stub.jobs


def test_another_home_lists_a_job_with_what_was_asked_for(stub: RayStub, url: str, tmp_path: Path) -> None:
    _runner(url, tmp_path / "one", **_WAITING).start(TAG, _fill)
    other = RayProvider(tmp_path / "two", runners={"box": RayTable(address=url)})
    _opened.append(other)
    [listed] = other.jobs()
    assert (listed.tag, listed.model, listed.training_file) == (TAG, "box/tiny", "rows")
    assert listed.remote.status is Status.QUEUED


def test_a_job_that_waits_is_not_paused_and_is_cancelled_for_good(stub: RayStub, url: str, tmp_path: Path) -> None:
    runner = _runner(url, tmp_path, **_WAITING)
    runner.start(TAG, _fill)
    with pytest.raises(Conflict):
        runner.ask(TAG, "pause")
    assert runner.end(TAG)
    assert [report.state.status for report in runner.report([TAG])] == [Status.CANCELLED]
    assert runner.resume(TAG) == "over"


def test_a_job_that_waits_once_more_is_cancelled_with_its_folder(stub: RayStub, url: str, tmp_path: Path) -> None:
    _runner(url, tmp_path, **_AT_ONCE).start(TAG, _fill)
    runner = _runner(url, tmp_path, **_WAITING)
    _ended(runner)
    job = JobFolder(stub.logs / "ftbridge" / "local" / "jobs" / TAG)
    job.path.mkdir(parents=True)
    _fill(job)
    job.set_status(Status.PAUSED)
    assert runner.resume(TAG) == "resumed"
    assert runner.resume(TAG) == "running"
    assert runner.report([TAG])[0].waiting
    assert runner.end(TAG)
    assert [report.state.status for report in runner.report([TAG])] == [Status.CANCELLED]
    assert job.state().status is Status.CANCELLED
    assert not job.data()


def test_a_command_that_ends_without_a_state_is_told_in_rays_words(stub: RayStub, url: str, tmp_path: Path) -> None:
    runner = _runner(url, tmp_path, python="/nonexistent/python")
    runner.start(TAG, _fill)
    report = _ended(runner)
    assert report.died
    assert "exit code 127" in report.log
    assert runner.resume(TAG) == "without data"


def test_a_node_that_is_gone_makes_no_job_fail_that_ray_calls_succeeded(
    stub: RayStub, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ftbridge.provider.retry.FIRST_WAIT", 0.01)
    runner = _runner(url, tmp_path, **_AT_ONCE)
    runner.start(TAG, _fill)
    stub.has_node = False
    with pytest.raises(ServerTrouble):
        _ended(runner)


def test_a_file_that_breaks_off_is_read_whole_the_second_time(stub: RayStub, url: str, tmp_path: Path) -> None:
    runner = _runner(url, tmp_path, **_AT_ONCE)
    runner.start(TAG, _fill)
    _ended(runner)
    result = stub.logs / "ftbridge" / "local" / "jobs" / TAG / "result"
    result.mkdir(parents=True)
    (result / "weights").write_bytes(bytes(range(256)) * 1000)
    stub.faults.add("log_file=cut-midway")
    assert runner.read(TAG, "result/weights") == bytes(range(256)) * 1000
    (result.parent / "status.json").write_text('{"status": "succeeded"}')
    (result.parent / "events.jsonl").write_text("")
    folder = runner.pull(TAG)
    assert (folder.result / "weights").read_bytes() == bytes(range(256)) * 1000
    assert [one.name for one in runner.artifacts(TAG)] == [f"/local/jobs/{TAG}/result"]


def test_five_hundred_jobs_are_looked_at_in_one_request(stub: RayStub, url: str, tmp_path: Path) -> None:
    runner = _runner(url, tmp_path, **_WAITING)
    tags = [f"ftb_{number:012}" for number in range(500)]
    for tag in tags:
        metadata = {"ftbridge_tag": tag, "ftbridge_verb": "start"}
        stub.jobs[tag] = {"submission_id": tag, "status": "PENDING", "metadata": metadata, "driver_node_id": None}
    before = len(stub.seen)
    assert len(runner.report(tags)) == 500
    assert [seen.operation for seen in stub.seen[before:]] == ["list_jobs"]


def test_a_package_that_is_too_large_is_refused_before_it_is_sent(
    stub: RayStub, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_package, "_LARGEST", 100)
    with pytest.raises(InvalidRequest) as problem:
        _runner(url, tmp_path).start(TAG, _fill)
    assert "folder" in problem.value.hint
    assert not stub.packages


def test_the_token_is_found_as_ray_finds_it_and_never_shown(
    stub: RayStub, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(FtbridgeError) as problem:
        _runner(url, tmp_path / "without").tags()
    assert "RAY_AUTH_TOKEN" in problem.value.hint
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text(f"{TOKEN}\n")
    assert _runner(url, tmp_path / "home").tags() == []
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / ".ray" / "auth_token").write_text("another one")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "token"))
    assert _runner(url, tmp_path / "path").tags() == []
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match="cannot be read"):
        _runner(url, tmp_path / "nothing").tags()
    assert TOKEN not in caplog.text


@pytest.mark.parametrize(
    ("model", "table"),
    [
        ("box/tiny", {"address": "http://ray.example.com:8265"}),  # in the clear
        ("ray.example.com:8265/tiny", {"address": ""}),  # whoever wrote the target would get the token
        ("box/tiny", {"address": ""}),
    ],
)
def test_no_other_machine_gets_a_token_unasked_or_in_the_clear(
    model: str, table: dict[str, str], tmp_path: Path
) -> None:
    provider = RayProvider(tmp_path, runners={"box": RayTable.read(table, {})})
    with pytest.raises(ConfigError):
        provider.runner(provider.split(model)[0])


def test_http_to_another_machine_is_used_where_the_table_says_so(tmp_path: Path) -> None:
    table = RayTable.read({"address": "http://ray.example.com:8265", "insecure": True}, {})
    assert RayProvider(tmp_path, runners={"box": table}).runner("box")


@pytest.mark.parametrize("model", ["tiny", "", "/tiny", "box/", "-o/tiny"])
def test_a_target_names_a_cluster_and_a_model(model: str, tmp_path: Path) -> None:
    with pytest.raises(TargetError) as problem:
        RayProvider(tmp_path).split(model)
    assert "ray:NAME/MODEL" in problem.value.hint


def test_what_a_job_is_asked_with_holds_no_secret(
    stub: RayStub, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_" + "a1" * 17)
    _runner(url, tmp_path, **_WAITING).start(TAG, _fill)
    assert "a1a1" not in json.dumps([seen.call.body for seen in stub.seen if seen.operation == "create_job"])


def test_doctor_says_what_the_node_lacks(stub: RayStub, url: str, tmp_path: Path) -> None:
    table = RayTable.read({"address": url, "python": sys.executable}, {})
    found = list(RayProvider(tmp_path, runners={"box": table}).inspect("box"))
    assert [one.state for one in found] == ["ok", "ok", "ok"]
    assert "Ray 2.60.0" in found[0].what
    bare = table.model_copy(update={"python": f"{sys.executable} -S"})
    with pytest.raises(UsageError) as problem:
        list(RayProvider(tmp_path, runners={"box": bare}).inspect("box"))
    assert "python" in problem.value.hint
