"""What a vendor says of one job keeps no other job from being read; it is reported as that job's, once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ftbridge.errors import BadAnswer, NotFound, ServerTrouble
from ftbridge.jobs.polling import EventBudget, poll_jobs
from ftbridge.ledger import Intent, Ledger, Prepared, unfinished
from ftbridge.model import Event, Spec, Status, now
from ftbridge.provider import RemoteJob
from ftbridge.watching.scheduler import PeriodicTask, Scheduler
from scripted_provider import ScriptedProvider, vendor_error

JOBS = ("ftb_aaaa", "ftb_bbbb", "ftb_cccc")


class Hostile(ScriptedProvider):
    """`extra` is polled beside the jobs, `answers` are the events, or errors, by job; one metric for the others."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.extra: Sequence[RemoteJob] = ()
        self.answers: dict[str, Any] = {}
        self.polled = {
            f"r-{job}": RemoteJob(remote_id=f"r-{job}", status=Status.RUNNING, raw_status="going") for job in JOBS
        }

    def poll(self, remote_ids: Sequence[str]) -> Iterable[RemoteJob]:
        yield from self.extra
        for remote_id in sorted(remote_ids):
            if remote_id in self.polled:
                yield self.polled[remote_id]

    def events(self, remote_id: str, since: str) -> Any:
        answer = self.answers.get(remote_id)
        if isinstance(answer, BaseException):
            raise answer
        if answer is not None:
            return [Event.model_validate(event) for event in answer]
        return [] if since else [Event(at=now(), kind="metric", cursor="c1", step=1, train_loss=1.0)]


@pytest.fixture
def provider(tmp_path: Path) -> Hostile:
    return Hostile(tmp_path)


@pytest.fixture
def running(ledger: Ledger) -> Ledger:
    for job in JOBS:
        spec = Spec(target="scripted:small", data=Path("rows.jsonl"))
        prepared = Prepared(training="k")
        intent = Intent(id=job, target=spec.target, spec=spec, prepared=prepared, request_hash=job, created_at=now())
        ledger.change(ledger.add(intent), status=Status.RUNNING, raw_status="going", remote_id=f"r-{job}")
    return ledger


def poll(ledger: Ledger, provider: Hostile) -> None:
    poll_jobs(unfinished(ledger), provider, ledger, EventBudget())


def reported(ledger: Ledger, job: str = JOBS[0]) -> list[str]:
    return [event.message or "" for _number, event in ledger.events(job) if event.kind == "message"]


def went_on(ledger: Ledger) -> bool:
    return all(ledger.job(job).job.latest.step == 1 for job in JOBS[1:])


@pytest.mark.parametrize(
    "event",
    [
        {"message": "half an emoji \ud83d"},
        {"message": "a NUL \0"},
        {"message": "x" * 10_000_000},
        {"message": ["\ud800"]},
        {"at": 253_402_300_800},
        {"at": -(10**18)},
        {"at": float("nan")},
        {"at": "yesterday"},
        {"at": None},
        {"kind": "metric", "train_loss": float("nan"), "step": 3.0},
        {"kind": "metric", "train_loss": float("inf"), "step": "four"},
        {"kind": "metric", "tokens": 10**40, "step": -1},
        {"cursor": ""},
    ],
    ids=lambda event: repr(event)[:50],
)
def test_an_event_of_anything_is_kept_and_the_others_go_on(
    running: Ledger, provider: Hostile, event: dict[str, Any]
) -> None:
    provider.answers[f"r-{JOBS[0]}"] = [
        {"at": 1_767_000_000, "kind": "message", "message": "hi", "cursor": "c", **event}
    ]
    poll(running, provider)
    assert len(running.events(JOBS[0])) == 1
    assert went_on(running)


@pytest.mark.parametrize(
    "problem",
    [KeyError("created_at"), TypeError("no list"), OverflowError("year"), RecursionError(), AttributeError("message")],
    ids=repr,
)
def test_events_that_cannot_be_read_are_reported_once_and_the_status_goes_on(
    running: Ledger, provider: Hostile, problem: Exception
) -> None:
    provider.answers[f"r-{JOBS[0]}"] = problem
    poll(running, provider)
    poll(running, provider)
    [message] = reported(running)
    assert "events that cannot be read" in message
    assert went_on(running)
    provider.polled[f"r-{JOBS[0]}"] = RemoteJob(remote_id=f"r-{JOBS[0]}", status=Status.SUCCEEDED, raw_status="done")
    poll(running, provider)
    assert running.job(JOBS[0]).job.status is Status.SUCCEEDED


@pytest.mark.parametrize("kind", [BadAnswer, NotFound, ServerTrouble])
def test_an_error_about_one_job_is_raised_after_the_others(
    running: Ledger, provider: Hostile, kind: type[BadAnswer]
) -> None:
    provider.answers[f"r-{JOBS[0]}"] = vendor_error(kind, provider="scripted")
    with pytest.raises(kind):
        poll(running, provider)
    assert went_on(running)


def test_a_job_that_cannot_be_read_is_unknown_with_the_reason_until_it_can(running: Ledger, provider: Hostile) -> None:
    readable = provider.polled[f"r-{JOBS[0]}"]
    provider.polled[f"r-{JOBS[0]}"] = RemoteJob.unreadable(f"r-{JOBS[0]}", "it is a list \ud83d")
    poll(running, provider)
    poll(running, provider)
    job = running.job(JOBS[0]).job
    assert (job.status, job.raw_status, job.error) == (Status.UNKNOWN, "unreadable", "it is a list ?")
    assert [event.status for _number, event in running.events(JOBS[0]) if event.kind == "status"] == [Status.UNKNOWN]
    assert went_on(running)
    provider.polled[f"r-{JOBS[0]}"] = readable
    poll(running, provider)
    assert running.job(JOBS[0]).job.status is Status.RUNNING


def test_a_job_that_is_listed_twice_or_that_nobody_asked_for_changes_nothing(
    running: Ledger, provider: Hostile
) -> None:
    [first, *_rest] = provider.polled.values()
    provider.extra = [first, first, first.model_copy(update={"remote_id": "somebody-elses"})]
    poll(running, provider)
    assert went_on(running)
    assert [len(running.events(job)) for job in JOBS] == [1, 1, 1]


def test_a_list_that_breaks_in_the_middle_is_the_vendors_bad_answer(
    running: Ledger, provider: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_remote_ids: Sequence[str]) -> Iterable[RemoteJob]:
        yield provider.polled[f"r-{JOBS[1]}"]
        raise KeyError("status")

    monkeypatch.setattr(provider, "poll", broken)
    with pytest.raises(BadAnswer, match="cannot be read: KeyError"):
        poll(running, provider)
    assert running.job(JOBS[1]).job.latest.step == 1


def test_a_job_whose_folder_is_gone_is_over(running: Ledger, provider: Hostile) -> None:
    provider.__class__.keeps_jobs_at_home = True
    try:
        del provider.polled[f"r-{JOBS[0]}"]
        poll(running, provider)
    finally:
        del provider.__class__.keeps_jobs_at_home
    job = running.job(JOBS[0]).job
    assert (job.status, job.raw_status) == (Status.FAILED, "gone")
    assert "submit it again" in (job.error or "")
    assert went_on(running)


def test_an_event_in_the_ledger_that_cannot_be_read_is_a_message(running: Ledger) -> None:
    from sqlalchemy import insert

    from ftbridge.ledger.schema import events

    with running.writing() as connection:
        connection.execute(insert(events).values(job_id=JOBS[0], number=1, event="{junk"))
    assert reported(running) == ["an event in the ledger cannot be read; it is left out"]


@pytest.mark.parametrize("seconds", [7.0, 3600.0, 86_400.0])
def test_a_vendor_that_asks_for_a_wait_is_asked_again_within_the_hour(seconds: float) -> None:
    def busy() -> int:
        raise vendor_error(ServerTrouble, provider="scripted", retry_after=seconds)

    warnings: list[str] = []
    task = PeriodicTask("scripted", busy, pace=0.01, slowest=0.01)
    Scheduler([task], warnings.append).run_due(longest=5.0)
    [warning] = warnings
    wait = float(warning.rpartition("in ")[2].removesuffix(" s"))
    assert 0.85 * min(seconds, 3600) <= wait <= 1.15 * min(seconds, 3600)
