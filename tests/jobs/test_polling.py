"""A sweep writes down what is new, once, and never lets a job go backwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ftbridge.jobs.polling import EventBudget, poll_jobs
from ftbridge.jobs.request.identity import is_same
from ftbridge.ledger import Intent, Ledger, Prepared, Record, unfinished
from ftbridge.ledger import summaries as summaries
from ftbridge.model import Event, Result, Spec, Status, now
from ftbridge.provider import RemoteJob
from scripted_provider import ScriptedProvider

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def running(ledger: Ledger) -> Record:
    spec = Spec(target="scripted:small", data=Path("rows.jsonl"))
    intent = Intent(
        id="ftb_aaaa",
        target=spec.target,
        spec=spec,
        prepared=Prepared(training="k"),
        request_hash="h",
        created_at=now(),
    )
    changed = ledger.change(ledger.add(intent), status=Status.RUNNING, raw_status="going", remote_id="r1")
    assert changed
    return changed


def see(provider: ScriptedProvider, ledger: Ledger, status: Status, raw: str, **more: object) -> Record:
    provider.polled["r1"] = RemoteJob.model_validate({"remote_id": "r1", "status": status, "raw_status": raw, **more})
    poll_jobs(summaries(ledger, ["ftb_aaaa"]), provider, ledger, EventBudget())
    return ledger.job("ftb_aaaa")


def statuses(ledger: Ledger) -> list[Status | None]:
    return [event.status for _number, event in ledger.events("ftb_aaaa") if event.kind == "status"]


def metric(step: int, **figures: float) -> Event:
    return Event.model_validate({"at": AT, "kind": "metric", "cursor": f"c{step}", "step": step, **figures})


def test_a_vendors_estimate_is_kept_as_such_and_what_it_bills_only_when_the_job_is_over(
    ledger: Ledger, provider: ScriptedProvider, running: Record
) -> None:
    ledger.change(running, estimate_usd=1.0, estimate_usd_high=5.0)
    early = {"cost_usd": 9.0, "trained_tokens": 900, "estimate_usd": 2.0, "estimate_tokens": 200}
    seen = see(provider, ledger, Status.QUEUED, "waiting", **early).job.cost
    assert (seen.actual_usd, seen.billed_tokens) == (None, None)
    assert (seen.estimate_usd, seen.estimate_usd_high, seen.estimate_tokens) == (2.0, 5.0, 200)
    seen = see(provider, ledger, Status.RUNNING, "going", estimate_usd=6.0).job.cost
    assert (seen.estimate_usd, seen.estimate_usd_high, seen.estimate_tokens) == (6.0, 6.0, 200)
    seen = see(provider, ledger, Status.SUCCEEDED, "done", **early).job.cost
    assert (seen.actual_usd, seen.billed_tokens) == (9.0, 900)
    assert (seen.estimate_usd, seen.estimate_tokens) == (6.0, 200)


def test_metrics_are_kept_once_and_the_newest_are_the_jobs(
    ledger: Ledger, provider: ScriptedProvider, running: Record
) -> None:
    provider.reported = [metric(1, train_loss=2.0, valid_loss=2.5)]
    see(provider, ledger, Status.RUNNING, "going")
    provider.reported.append(metric(2, train_loss=1.0))
    seen = see(provider, ledger, Status.RUNNING, "going")
    assert [event.step for _number, event in ledger.events("ftb_aaaa")] == [1, 2]
    assert (seen.job.latest.step, seen.job.latest.train_loss, seen.job.latest.valid_loss) == (2, 1.0, 2.5)
    assert seen.cursor == "c2"


def test_what_a_job_tells_while_it_is_made_ready_is_seen_at_once(
    ledger: Ledger, provider: ScriptedProvider, running: Record
) -> None:
    see(provider, ledger, Status.VALIDATING, "looking")
    provider.reported = [Event(at=AT, kind="message", cursor="c1", message="building the base")]
    see(provider, ledger, Status.VALIDATING, "looking")
    assert [event.message for _number, event in ledger.events("ftb_aaaa")][-1] == "building the base"


def test_a_look_that_finds_nothing_new_writes_nothing(
    ledger: Ledger, provider: ScriptedProvider, running: Record
) -> None:
    assert see(provider, ledger, Status.RUNNING, "going").version == running.version


def test_the_end_brings_the_result_and_the_time(ledger: Ledger, provider: ScriptedProvider, running: Record) -> None:
    provider.reported = [Event(at=AT, kind="status", cursor="c9", status=Status.SUCCEEDED)]
    seen = see(provider, ledger, Status.SUCCEEDED, "done", result={"model": "tuned-1"})
    assert seen.job.status is Status.SUCCEEDED
    assert seen.job.result == Result(model="tuned-1")
    assert seen.job.finished_at == AT
    assert [event.at for _number, event in ledger.events("ftb_aaaa")] == [AT]
    assert statuses(ledger) == [Status.SUCCEEDED]


def test_a_job_whose_end_was_just_seen_answers_the_same_request_however_old_its_vendors_times_are(
    ledger: Ledger, provider: ScriptedProvider, running: Record
) -> None:
    provider.reported = [Event(at=AT, kind="status", cursor="c9", status=Status.SUCCEEDED)]
    seen = see(provider, ledger, Status.SUCCEEDED, "done", result={"model": "tuned-1"})
    assert is_same(seen, None, str(seen.account))


def test_a_job_that_is_over_is_not_asked_about_again(
    ledger: Ledger, provider: ScriptedProvider, running: Record
) -> None:
    see(provider, ledger, Status.FAILED, "broken", error="out of memory")
    seen = see(provider, ledger, Status.RUNNING, "going")
    assert seen.job.status is Status.FAILED
    assert seen.job.error == "out of memory"


def test_a_final_event_that_is_ahead_of_the_poll_waits_for_it(
    ledger: Ledger, provider: ScriptedProvider, running: Record
) -> None:
    provider.reported = [Event(at=AT, kind="status", cursor="c9", status=Status.SUCCEEDED)]
    assert see(provider, ledger, Status.RUNNING, "going").job.status is Status.RUNNING
    seen = see(provider, ledger, Status.SUCCEEDED, "done", result={"model": "tuned-1"})
    assert seen.job.result == Result(model="tuned-1")
    assert statuses(ledger) == [Status.SUCCEEDED]


def test_a_worker_that_died_is_failed_whatever_its_events_say(
    ledger: Ledger, provider: ScriptedProvider, running: Record
) -> None:
    provider.reported = [Event(at=AT, kind="status", cursor="c1", status=Status.PAUSED)]
    assert see(provider, ledger, Status.FAILED, "failed", error="killed").job.status is Status.FAILED
    assert statuses(ledger) == [Status.PAUSED, Status.FAILED]


def test_a_job_that_gives_metrics_was_running_though_no_look_saw_it(
    ledger: Ledger, provider: ScriptedProvider, running: Record
) -> None:
    ledger.change(running, status=Status.QUEUED)
    provider.reported = [metric(1, train_loss=2.0), metric(2, train_loss=1.0)]
    see(provider, ledger, Status.SUCCEEDED, "done", result={"model": "tuned-1"})
    assert statuses(ledger) == [Status.RUNNING, Status.SUCCEEDED]
    [first, *_rest] = [event for _number, event in ledger.events("ftb_aaaa")]
    assert (first.status, first.at) == (Status.RUNNING, AT)


def test_metrics_that_come_late_do_not_start_a_paused_job(
    ledger: Ledger, provider: ScriptedProvider, running: Record
) -> None:
    ledger.change(running, status=Status.PAUSED)
    provider.reported = [metric(1, train_loss=2.0)]
    assert see(provider, ledger, Status.PAUSED, "paused").job.status is Status.PAUSED
    assert statuses(ledger) == []


def test_a_word_nobody_knows_is_kept_and_polled_on(ledger: Ledger, provider: ScriptedProvider, running: Record) -> None:
    seen = see(provider, ledger, Status.UNKNOWN, "defragmenting")
    assert (seen.job.status, seen.job.raw_status) == (Status.UNKNOWN, "defragmenting")
    assert see(provider, ledger, Status.RUNNING, "going").job.status is Status.RUNNING
    assert statuses(ledger) == [Status.UNKNOWN, Status.RUNNING]


def test_a_job_the_vendor_has_forgotten_stays_as_it_was(
    ledger: Ledger, provider: ScriptedProvider, running: Record
) -> None:
    poll_jobs(unfinished(ledger), provider, ledger, EventBudget())
    assert ledger.job("ftb_aaaa") == running


def test_a_running_job_that_shows_nothing_new_for_long_is_told_of_once(
    ledger: Ledger, provider: ScriptedProvider, running: Record
) -> None:
    long_ago = now() - timedelta(seconds=provider.stall_seconds + 600)
    assert ledger.change(running, progress_at=long_ago)
    for _look in range(3):
        see(provider, ledger, Status.RUNNING, "going")
    [(_number, reported)] = ledger.events("ftb_aaaa")
    assert (
        reported.message == "nothing new for 130 minutes: the job may have stalled; `ftbridge cancel ftb_aaaa` ends it"
    )


def test_a_step_shows_that_a_job_goes_on(ledger: Ledger, provider: ScriptedProvider, running: Record) -> None:
    assert ledger.change(running, progress_at=now() - timedelta(days=1))
    provider.reported = [metric(1, train_loss=2.0)]
    see(provider, ledger, Status.RUNNING, "going")
    assert [event.kind for _number, event in ledger.events("ftb_aaaa")] == ["metric"]


def test_a_job_that_the_vendor_lost_is_told_of_after_a_while(
    ledger: Ledger, provider: ScriptedProvider, running: Record
) -> None:
    assert ledger.change(running, progress_at=now() - timedelta(days=1))
    assert poll_jobs(unfinished(ledger), provider, ledger, EventBudget()) == 1
    [(_number, reported)] = ledger.events("ftb_aaaa")
    assert "no longer lists the job" in (reported.message or "")
    assert poll_jobs(unfinished(ledger), provider, ledger, EventBudget()) == 0


def test_of_many_running_jobs_some_are_read_in_turn_and_fewer_when_the_vendor_is_busy() -> None:
    budget, jobs = EventBudget(), [f"job-{number:02}" for number in range(25)]
    read = [budget.choose(jobs) for _look in range(3)]
    assert [len(some) for some in read] == [10, 10, 10]
    assert set().union(*read) == set(jobs)
    budget.slower()
    assert len(budget.choose(jobs)) == 5
    budget.faster()
    assert len(budget.choose(jobs)) == 6


def test_overfitting_is_told_when_it_happens(ledger: Ledger, provider: ScriptedProvider, running: Record) -> None:
    course = [(2.0, 2.0), (1.5, 1.5), (1.6, 1.0), (1.8, 0.5)]
    for step, (valid, train) in enumerate(course, start=1):
        provider.reported.append(metric(step, valid_loss=valid, train_loss=train))
        see(provider, ledger, Status.RUNNING, "going")
    messages = [event.message for _number, event in ledger.events("ftb_aaaa") if event.kind == "message"]
    assert messages == [
        "overfitting since step 2: the validation loss has risen from 1.500 to 1.800 "
        "while the training loss fell to 0.500; fewer epochs would do"
    ]


def test_overfitting_that_is_seen_with_the_jobs_end_is_told_before_it(
    ledger: Ledger, provider: ScriptedProvider, running: Record
) -> None:
    course = [(2.0, 2.0), (1.5, 1.5), (1.6, 1.0), (1.8, 0.5)]
    provider.reported = [
        metric(step, valid_loss=valid, train_loss=train) for step, (valid, train) in enumerate(course, 1)
    ]
    provider.reported.append(
        Event(at=AT + timedelta(seconds=1), kind="message", cursor="c9", message="The model is kept")
    )
    assert see(provider, ledger, Status.SUCCEEDED, "done").cursor == "c9"
    reported = [str(event)[:11] for _number, event in ledger.events("ftb_aaaa") if event.kind != "metric"]
    assert reported == ["overfitting", "The model i", "succeeded"]
