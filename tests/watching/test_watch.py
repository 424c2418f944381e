"""One watch follows all jobs at all vendors, through every kind of weather."""

from __future__ import annotations

import base64
import hashlib
import hmac
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from ftbridge import Bridge, Status
from ftbridge.errors import AuthenticationFailed, FtbridgeError, MissingExtra, UsageError
from ftbridge.loopback import listen
from ftbridge.mock.vendors import MockVendors
from ftbridge.provider import Provider
from hosted_helpers import asked
from watching_helpers import OPENAI, TOGETHER

Open = Callable[..., Bridge]


def test_jobs_at_several_vendors_are_followed_at_once_to_their_ends(
    open_bridge: Open, vendors: MockVendors, data: Path
) -> None:
    bridge = open_bridge()
    jobs = [bridge.submit(data, to=target) for target in (OPENAI, TOGETHER)]
    reported = [(job.id, event) for job, event in bridge.watch(*jobs) if event]
    for job in jobs:
        assert bridge.job(job).status is Status.SUCCEEDED
        assert [event for job_id, event in reported if job_id == job.id] == bridge.events(job)


@pytest.mark.parametrize("fault", ["500", "429:0.05", "cut", "html", "invalid-json", "truncate", "slow:0.2"])
def test_a_watch_outlives_bad_weather_and_nothing_is_lost(
    open_bridge: Open, vendors: MockVendors, data: Path, fault: str
) -> None:
    bridge = open_bridge()
    job = bridge.submit(data, to=OPENAI)
    for operation in ("get_job", "job_events"):
        vendors["openai"].faults.add(f"{operation}={fault}x8")
    assert bridge.wait(job, timeout=120).status is Status.SUCCEEDED
    steps = [event.step or 0 for event in bridge.events(job) if event.kind == "metric"]
    assert steps == sorted(steps)
    assert steps[-1] == bridge.job(job).latest.total_steps


def test_a_bad_key_parks_its_vendors_jobs_and_the_others_go_on(
    open_bridge: Open, vendors: MockVendors, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = open_bridge()
    parked, fine = first.submit(data, to=OPENAI), first.submit(data, to=TOGETHER)
    monkeypatch.delenv("OPENAI_API_KEY")
    later = open_bridge()
    for job, _event in later.watch(parked, fine):
        if job.id == fine.id and job.status.final:
            break
    assert later.job(fine).status is Status.SUCCEEDED
    assert any("openai" in warning for warning in later.warnings)


def test_a_watch_with_no_way_to_go_on_says_why(open_bridge: Open, vendors: MockVendors, data: Path) -> None:
    bridge = open_bridge()
    job = bridge.submit(data, to=OPENAI)
    vendors["openai"].faults.add("*=401x100")
    with pytest.raises(AuthenticationFailed):
        bridge.wait(job)


def test_many_jobs_are_seen_by_pages_and_a_few_events(open_bridge: Open, vendors: MockVendors, data: Path) -> None:
    bridge = open_bridge()
    vendors["openai"].faults.add("create_job=stall:600")
    jobs = [bridge.submit(data, to=OPENAI, name=f"n{number}", again=True) for number in range(30)]
    until = time.monotonic() + 60
    while {job.status for job in bridge.refresh(*jobs)} != {Status.RUNNING} and time.monotonic() < until:
        time.sleep(0.1)
    vendors["openai"].seen.clear()
    bridge.refresh(*jobs)
    assert asked(vendors["openai"], "list_jobs") == 1
    assert asked(vendors["openai"], "get_job") == 0
    assert asked(vendors["openai"], "job_events") <= 10


def test_results_are_fetched_as_soon_as_they_are_there_and_once(
    open_bridge: Open, vendors: MockVendors, data: Path, tmp_path: Path
) -> None:
    bridge = open_bridge()
    jobs = [bridge.submit(data, to=target) for target in (OPENAI, TOGETHER)]
    vendors["openai"].faults.add("get_file_content=500")
    for _told in bridge.watch(*jobs, fetch_to=tmp_path / "results"):
        pass
    for job in jobs:
        assert (tmp_path / "results" / job.id / "ftbridge.json").is_file()
    before = len(vendors["openai"].seen)
    for _told in bridge.watch(*jobs, fetch_to=tmp_path / "results"):
        pass
    assert len(vendors["openai"].seen) == before


def test_what_a_crash_left_open_is_finished_by_a_watch(open_bridge: Open, vendors: MockVendors, data: Path) -> None:
    bridge = open_bridge()
    vendors["openai"].faults.add("create_job=500-after")
    vendors["openai"].faults.add("list_jobs=500x6")  # so that it cannot be seen at once that the job is made
    with pytest.raises(FtbridgeError, match="500"):
        bridge.submit(data, to=OPENAI)
    job = bridge.job("last")
    assert job.status is Status.SUBMITTING
    assert bridge.wait(job, timeout=60).status is Status.SUCCEEDED
    assert asked(vendors["openai"], "create_job") == 1


def test_who_stops_watching_leaves_no_request_under_way(open_bridge: Open, vendors: MockVendors, data: Path) -> None:
    bridge = open_bridge()
    job = bridge.submit(data, to=OPENAI)
    vendors["openai"].faults.add("get_job=slow:1x8")
    rounds: list[threading.Thread] = []
    for _watched in bridge.watch(job):
        if rounds := [thread for thread in threading.enumerate() if thread.name == "ftbridge openai"]:
            break
    for thread in rounds:
        thread.join(0.2)  # the task is over a moment before its thread
    assert rounds
    assert not any(thread.is_alive() for thread in rounds)


@pytest.mark.parametrize("secret", ["right", "wrong"])
def test_the_vendors_webhook_brings_the_next_look_at_once(
    open_bridge: Open, vendors: MockVendors, data: Path, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    keys = {name: base64.b64encode(name.encode() * 8).decode() for name in ("right", "wrong")}
    monkeypatch.setenv("OPENAI_WEBHOOK_SECRET", f"whsec_{keys['right']}")
    with listen(0) as free:
        port = free.getsockname()[1]
    bridge = open_bridge()
    vendors["openai"].faults.add("create_job=stall")
    job = bridge.submit(data, to=OPENAI)
    watched = bridge.watch(job, listen=port)
    next(watched)
    monkeypatch.setattr(Provider, "poll_seconds", 600.0)
    monkeypatch.setattr(Provider, "slowest_poll_seconds", 600.0)
    while not asked(vendors["openai"], "get_job"):
        next(watched)
    for _round in range(3):  # the look that is under way ends, and the next is ten minutes off
        next(watched)
    looks = asked(vendors["openai"], "get_job")
    body, at = b'{"id": "evt_1", "type": "fine_tuning.job.succeeded", "data": {"id": "ftjob-1"}}', str(int(time.time()))
    signed = hmac.new(base64.b64decode(keys[secret]), f"msg_1.{at}.".encode() + body, hashlib.sha256).digest()
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": at,
        "webhook-signature": "v1," + base64.b64encode(signed).decode(),
    }
    answer = httpx.post(f"http://127.0.0.1:{port}/openai", content=body, headers=headers)
    assert answer.status_code == (204 if secret == "right" else 401)
    assert httpx.post(f"http://127.0.0.1:{port}/together", content=body, headers=headers).status_code == 404
    deadline = time.monotonic() + (60 if secret == "right" else 2)
    while time.monotonic() < deadline and asked(vendors["openai"], "get_job") == looks:
        next(watched)
    assert asked(vendors["openai"], "get_job") == looks + (secret == "right")


def test_taking_webhooks_without_its_packages_names_what_installs_them(
    open_bridge: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "ftbridge.loopback")
    with pytest.raises(MissingExtra, match="webhooks needs a package that is not installed: uvicorn") as problem:
        list(open_bridge().watch(listen=8080))
    assert problem.value.hint == "Install it with: pip install 'ftbridge[mock]'"


def test_taking_webhooks_at_a_port_that_is_taken_says_so(open_bridge: Open) -> None:
    with listen(0) as taken, pytest.raises(UsageError, match=r"cannot be used: .*in use"):
        list(open_bridge().watch(listen=taken.getsockname()[1]))


def test_what_a_hook_still_has_to_get_is_said_at_the_end(open_bridge: Open, vendors: MockVendors, data: Path) -> None:
    bridge = open_bridge(hooks={"site": {"command": ["false"]}})
    bridge.wait(bridge.submit(data, to=OPENAI))
    owed = " deliveries to hooks are still due; the next `ftbridge watch` delivers what is due then"
    assert bridge.warnings[-1].endswith(owed)
