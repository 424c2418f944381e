"""A provider that runs only so many jobs at once gets no more; the others wait here, in order."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ftbridge import Bridge, Status
from ftbridge.errors import AuthenticationFailed, ConfigError, NetworkError, NotFound
from ftbridge.jobs.queue import with_queue_positions
from ftbridge.ledger import Prepared, Record
from ftbridge.mock.vendors import MockVendors
from ftbridge.model import Job, Spec
from ftbridge.provider import Provider
from hosted_helpers import finished
from watching_helpers import OPENAI, made, standing_still

Open = Callable[..., Bridge]


def test_no_more_jobs_than_there_are_places_are_sent_and_all_get_their_turn_in_order(
    open_bridge: Open, vendors: MockVendors, data: Path
) -> None:
    bridge = open_bridge(limits={"openai": 3})
    with standing_still(vendors):
        jobs = [bridge.submit(data, to=OPENAI, name=f"n{number}", again=True) for number in range(8)]
    assert made(vendors) == 3
    assert [bridge.job(job).queue_position for job in jobs] == [None, None, None, 1, 2, 3, 4, 5]
    assert [job.queue_position for job in bridge.jobs(reversed(jobs))] == [5, 4, 3, 2, 1, None, None, None]
    assert bridge.jobs([]) == []
    assert "waits here" in bridge.warnings[-1]
    running = 0
    for _job, _event in bridge.watch(*jobs):
        alive = [job for job in bridge.jobs() if job.remote_id and not job.status.final]
        running = max(running, len(alive))
    assert running == 3
    assert made(vendors) == 8
    assert [bridge.job(job).status for job in jobs] == [Status.SUCCEEDED] * 8
    creates = [seen.call.body for seen in vendors["openai"].seen if seen.operation == "create_job"]
    assert [body["metadata"]["ftbridge"] for body in creates] == [job.id for job in jobs]


def test_what_another_process_queued_is_sent_first(open_bridge: Open, vendors: MockVendors, data: Path) -> None:
    first = open_bridge(limits={"openai": 1})
    with standing_still(vendors):
        running, waiting = first.submit(data, to=OPENAI), first.submit(data, to=OPENAI, name="second", again=True)
    for _told in first.watch(running):
        pass
    last = open_bridge(limits={"openai": 1}).submit(data, to=OPENAI, name="third", again=True)
    assert first.job(waiting).remote_id
    assert last.queue_position == 1


@pytest.mark.parametrize("command", ["submit", "recover"])
def test_a_place_is_free_as_soon_as_its_job_is_over_whether_anybody_has_looked_or_not(
    open_bridge: Open, vendors: MockVendors, data: Path, command: str
) -> None:
    bridge = open_bridge(limits={"openai": 1})
    with standing_still(vendors):
        running, waiting = bridge.submit(data, to=OPENAI), bridge.submit(data, to=OPENAI, name="second", again=True)
    assert waiting.queue_position == 1
    finished(bridge.provider_named("openai"), str(running.remote_id))
    with standing_still(vendors):
        if command == "submit":
            assert bridge.submit(data, to=OPENAI, name="third", again=True).queue_position == 1
        else:
            assert [job.id for job in bridge.recover()] == [waiting.id]
    assert bridge.job(running).status is Status.SUCCEEDED
    assert bridge.job(waiting).remote_id


def test_a_vendor_that_is_busy_is_asked_again_and_the_job_is_not_lost(
    open_bridge: Open, vendors: MockVendors, data: Path
) -> None:
    bridge = open_bridge()
    vendors["openai"].faults.add("create_job=429:0.05x2")
    job = bridge.submit(data, to=OPENAI)
    assert job.status is Status.SUBMITTING
    assert "watch" in bridge.warnings[-1]
    assert bridge.wait(job, timeout=60).status is Status.SUCCEEDED
    assert made(vendors) == 1


def test_a_queued_job_that_is_refused_fails_and_the_next_has_its_turn(
    open_bridge: Open, vendors: MockVendors, data: Path
) -> None:
    bridge = open_bridge(limits={"openai": 1})
    with standing_still(vendors):
        jobs = [bridge.submit(data, to=OPENAI, name=f"n{number}", again=True) for number in range(3)]
    vendors["openai"].faults.add("create_job=422")
    for _told in bridge.watch(*jobs):
        pass
    assert [bridge.job(job).status for job in jobs] == [Status.SUCCEEDED, Status.FAILED, Status.SUCCEEDED]


def test_a_queued_job_survives_a_key_that_is_refused_but_a_new_one_is_told_at_once(
    open_bridge: Open, vendors: MockVendors, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ftbridge.provider.hosted.HostedProvider.listing_lag_seconds", 2.0)
    bridge = open_bridge(limits={"openai": 1})
    with standing_still(vendors):
        running, queued = bridge.submit(data, to=OPENAI), bridge.submit(data, to=OPENAI, name="queued", again=True)
    bridge.wait(running)
    vendors["openai"].faults.add("create_job=401")
    with pytest.raises(AuthenticationFailed):
        bridge.recover()
    assert bridge.job(queued).status is Status.SUBMITTING
    assert bridge.recover() == []  # the vendor's list may not show yet that it made the job although it refused
    time.sleep(2.1)
    assert [job.id for job in bridge.recover()] == [queued.id]
    bridge.wait(queued)
    vendors["openai"].faults.add("create_job=401")
    with pytest.raises(AuthenticationFailed):
        bridge.submit(data, to=OPENAI, name="new", again=True)
    assert bridge.jobs()[-1].status is Status.FAILED
    assert bridge.job("last").id == queued.id


def test_a_job_that_could_not_be_sent_outlives_a_shell_without_the_key(
    open_bridge: Open, vendors: MockVendors, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge = open_bridge()
    vendors["openai"].faults.add("upload_file=cutx20")
    with pytest.raises(NetworkError):
        bridge.submit(data, to=OPENAI)
    with monkeypatch.context() as without:
        without.delenv("OPENAI_API_KEY")
        with pytest.raises(ConfigError, match="no key for openai"):
            open_bridge().recover()
    vendors["openai"].faults.clear()
    assert [job.remote_id is not None for job in open_bridge().recover()] == [True]
    assert made(vendors) == 1


def test_a_queued_job_can_be_cancelled_and_is_never_sent(open_bridge: Open, vendors: MockVendors, data: Path) -> None:
    bridge = open_bridge(limits={"openai": 1})
    with standing_still(vendors):
        jobs = [bridge.submit(data, to=OPENAI, idempotency_key=key) for key in ("a", "b", "c")]
    assert bridge.cancel(jobs[1]).status is Status.CANCELLED
    for _told in bridge.watch(*jobs):
        pass
    assert [bridge.job(job).status for job in jobs] == [Status.SUCCEEDED, Status.CANCELLED, Status.SUCCEEDED]
    assert made(vendors) == 2
    assert bridge.submit(data, to=OPENAI, idempotency_key="b").id != jobs[1].id


def test_a_file_that_was_deleted_at_the_vendor_is_sent_anew_by_the_next_try(
    open_bridge: Open, vendors: MockVendors, data: Path
) -> None:
    bridge = open_bridge()
    bridge.wait(bridge.submit(data, to=OPENAI))
    [uploaded] = [seen.answer.body["id"] for seen in vendors["openai"].seen if seen.operation == "upload_file"]
    assert vendors["openai"].store.drop("files", uploaded)
    with pytest.raises(NotFound):
        bridge.submit(data, to=OPENAI, again=True)
    assert bridge.wait(bridge.submit(data, to=OPENAI, again=True)).status is Status.SUCCEEDED


def record(number: int, *, sent: int | None = None, lasted: int | None = None) -> Record:
    began = datetime(2026, 1, 1, tzinfo=UTC)
    job = Job(
        id=f"ftb_{number:04}",
        name=None,
        target="openai:small",
        status=Status.SUCCEEDED if lasted else Status.SUBMITTING if sent is None else Status.RUNNING,
        created_at=began + timedelta(minutes=number),
        finished_at=began + timedelta(minutes=(sent or 0) + lasted) if lasted else None,
        spec=Spec(target="openai:small", data=Path("rows.jsonl")),
    )
    posted = began + timedelta(minutes=sent) if sent is not None else None
    return Record(job=job, prepared=Prepared(training="k"), request_hash="h", posted_at=posted)


def no_provider(name: str) -> Provider:
    raise AssertionError(f"{name} need not be asked")


def test_the_expected_start_is_reckoned_from_how_long_jobs_have_lasted() -> None:
    began = record(0).job.created_at
    jobs = [record(0, sent=0, lasted=60), record(1, sent=100), record(2, sent=110), *map(record, (3, 4, 5))]
    queue = with_queue_positions(jobs, lambda _provider: 2, no_provider)[3:]
    assert [job.queue_position for job in queue] == [1, 2, 3]
    starts = [(job.expected_start - began) / timedelta(minutes=1) for job in queue if job.expected_start]
    assert starts == [160, 170, 220]


def test_without_any_job_that_is_over_nobody_knows_when_the_next_begins() -> None:
    queue = with_queue_positions([record(1, sent=0), record(2)], lambda _provider: 1, no_provider)
    assert (queue[1].queue_position, queue[1].expected_start) == (1, None)
