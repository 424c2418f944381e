"""When a job's absence at its vendor is proved: by what is known of time, of the list, and of other ledgers."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from xxhash import xxh3_128_hexdigest

from ftbridge.errors import Conflict, InvalidRequest, ListingUnfinished, NetworkError, NotReached, ServerTrouble
from ftbridge.jobs.exactly_once.sending import submit
from ftbridge.jobs.exactly_once.unconfirmed import cancel_unclear, resolve
from ftbridge.jobs.request.prepared import prepared_file
from ftbridge.ledger import Intent, Ledger, Prepared, Record
from ftbridge.ledger import window as moment
from ftbridge.ledger.window import Moment, elapsed
from ftbridge.model import Spec, Status, now
from ftbridge.provider import Listed, RemoteJob
from scripted_provider import Died, ScriptedProvider, vendor_error

KEY = xxh3_128_hexdigest(b"training rows")
TAG = "ftb_aaaa"


@dataclass
class Case:
    """A job that another process has written down, in a home with its ledger, and the vendor that it is for."""

    home: Path
    ledger: Ledger
    provider: ScriptedProvider
    record: Record

    def bring(self) -> Record:
        return submit(self.ledger.job(TAG), self.provider, self.ledger, self.home)

    def die_while_sending(self) -> None:
        self.provider.before.append(Died())
        with pytest.raises(Died):
            self.bring()


@pytest.fixture
def case(tmp_path: Path, ledger: Ledger, provider: ScriptedProvider) -> Case:
    prepared_file(tmp_path, KEY).parent.mkdir()
    prepared_file(tmp_path, KEY).write_bytes(b"training rows")
    spec = Spec(target="scripted:small", data=Path("rows.jsonl"))
    wish = Intent(
        id=TAG, target=spec.target, spec=spec, prepared=Prepared(training=KEY), request_hash="h", created_at=now()
    )
    added = ledger.add(wish)
    ledger.written.clear()
    return Case(tmp_path, ledger, provider, added)


@pytest.fixture
def minutes(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let so many minutes pass, by the clock that no person can set; a listing lags by one, a request by two."""
    monkeypatch.setattr(ScriptedProvider, "listing_lag_seconds", 60.0)
    monkeypatch.setattr(ScriptedProvider, "in_flight_seconds", 120.0)
    passed = 0.0

    def let_pass(more: float) -> None:
        nonlocal passed
        passed += 60 * more

    monkeypatch.setattr("time.clock_gettime", lambda _clock: 1000.0 + passed)
    return let_pass


def test_a_death_while_sending_is_waited_out_for_the_request_and_the_listing(
    case: Case, minutes: Callable[[float], None]
) -> None:
    case.die_while_sending()
    minutes(2.9)
    assert case.bring().job.status is Status.SUBMITTING
    assert case.provider.made == {}
    minutes(0.2)
    assert case.bring().job.remote_id == "remote-1"


def test_the_window_begins_when_the_request_has_ended_and_not_when_it_was_written_down(
    case: Case, minutes: Callable[[float], None]
) -> None:
    def slow_and_cut() -> None:
        minutes(30)
        raise vendor_error(NetworkError)

    case.provider.during = slow_and_cut
    with pytest.raises(NetworkError):
        submit(case.record, case.provider, case.ledger, case.home)
    case.provider.during = None
    minutes(2.9)
    assert case.bring().job.status is Status.SUBMITTING
    minutes(0.2)
    assert case.bring().job.remote_id == "remote-1"


def test_a_list_that_is_read_before_the_windows_end_proves_nothing_however_long_that_takes(
    case: Case, minutes: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    case.die_while_sending()
    minutes(2.9)

    def slow(_tag: str) -> list[RemoteJob]:
        minutes(1)
        return []

    with monkeypatch.context() as patch:
        patch.setattr(case.provider, "find", slow)
        assert case.bring().job.status is Status.SUBMITTING
    assert case.provider.made == {}
    assert case.bring().job.remote_id == "remote-1"


@pytest.mark.parametrize("jump", [timedelta(minutes=2), timedelta(days=3), timedelta(days=-3)])
def test_a_wall_clock_that_jumps_neither_sends_a_job_nor_keeps_it_from_being_cancelled(
    case: Case, minutes: Callable[[float], None], monkeypatch: pytest.MonkeyPatch, jump: timedelta
) -> None:
    case.die_while_sending()
    there = now() + jump
    for module in ("model", "ledger.slots"):
        monkeypatch.setattr(f"ftbridge.{module}.now", lambda: there)
    for module in ("sending", "absence", "adoption", "closing"):
        monkeypatch.setattr(f"ftbridge.jobs.exactly_once.{module}.now", lambda: there)
    assert case.bring().job.status is Status.SUBMITTING
    assert case.provider.made == {}
    assert cancel_unclear(case.ledger.job(TAG), case.provider, case.ledger).job.status is Status.CANCELLED


def test_after_another_boot_the_window_begins_anew(
    case: Case, minutes: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    case.die_while_sending()
    monkeypatch.setattr(moment, "boot", lambda: "the next boot")
    minutes(60)
    assert case.bring().job.status is Status.SUBMITTING
    minutes(3.1)
    assert case.bring().job.remote_id == "remote-1"


def test_between_two_machines_the_vendors_clock_counts() -> None:
    at = datetime(2026, 11, 29, tzinfo=UTC)
    here = Moment(boot="one", uptime=5000.0, vendor=at)
    there = Moment(boot="another", uptime=3.0, vendor=at + timedelta(seconds=61))
    assert elapsed(here, there) == 60.0
    assert elapsed(here, there.model_copy(update={"vendor": None})) is None
    assert elapsed(here, here.model_copy(update={"uptime": 5007.0, "vendor": at + timedelta(days=1)})) == 7.0


@pytest.mark.parametrize("status", [301, 303, 307, 403, 404, 408, 409, 425, 429, 499, 500, 501, 503, 599])
def test_whatever_is_answered_to_a_job_that_was_made_it_is_looked_for_and_adopted(case: Case, status: int) -> None:
    from ftbridge.provider.answers import error_from

    case.provider.after.append(error_from("scripted", status, "no"))
    adopted = submit(case.record, case.provider, case.ledger, case.home)
    assert (adopted.job.remote_id, adopted.job.error) == ("remote-1", None)
    reported = [event.message for _number, event in case.ledger.events(TAG) if event.kind == "message"]
    assert reported == [f"scripted answered {status}: no; but scripted has created the job"]


def test_a_refusal_is_not_believed_until_the_listing_would_show_the_job(
    case: Case, minutes: Callable[[float], None]
) -> None:
    case.provider.after.append(vendor_error(InvalidRequest, provider="scripted", status=404))
    case.provider.hidden = True
    with pytest.raises(InvalidRequest):
        submit(case.record, case.provider, case.ledger, case.home)
    failed = case.ledger.job(TAG)
    assert (failed.job.status, failed.unconfirmed) == (Status.FAILED, True)
    case.provider.hidden = False
    found = resolve(failed, case.provider, case.ledger)
    assert (found.job.status, found.job.remote_id) == (Status.RUNNING, "remote-1")


def test_a_refusal_is_final_once_the_listing_would_show_the_job(case: Case, minutes: Callable[[float], None]) -> None:
    case.provider.before.append(vendor_error(InvalidRequest, provider="scripted", status=400))
    with pytest.raises(InvalidRequest):
        submit(case.record, case.provider, case.ledger, case.home)
    assert resolve(case.ledger.job(TAG), case.provider, case.ledger).unconfirmed
    minutes(1.1)
    assert not resolve(case.ledger.job(TAG), case.provider, case.ledger).unconfirmed
    assert case.ledger.job(TAG).job.status is Status.FAILED


def test_a_conflict_that_made_nothing_is_a_refusal_in_the_end_and_not_sent_again(
    case: Case, minutes: Callable[[float], None]
) -> None:
    case.provider.before.append(vendor_error(Conflict, provider="scripted", status=409))
    with pytest.raises(Conflict):
        submit(case.record, case.provider, case.ledger, case.home)
    assert case.ledger.job(TAG).job.status is Status.SUBMITTING
    minutes(1.1)
    ended = case.bring()
    assert (ended.job.status, ended.job.error) == (Status.FAILED, "the vendor's words")
    assert case.provider.made == {}


def test_what_was_never_sent_may_be_sent_at_once(case: Case, minutes: Callable[[float], None]) -> None:
    case.provider.before.append(vendor_error(NotReached))
    with pytest.raises(NotReached):
        submit(case.record, case.provider, case.ledger, case.home)
    assert case.ledger.job(TAG).posted_at is None
    assert case.bring().job.remote_id == "remote-1"


def test_a_listing_that_breaks_off_proves_nothing_and_is_told(case: Case) -> None:
    case.die_while_sending()
    case.provider.listing = vendor_error(ListingUnfinished, provider="scripted")
    for _look in range(2):
        assert case.bring().job.status is Status.SUBMITTING
    assert case.provider.made == {}
    assert [event.message for _number, event in case.ledger.events(TAG)] == ["the vendor's words"]


def test_a_job_without_a_tag_of_the_same_file_and_model_is_never_bought_beside(case: Case) -> None:
    case.die_while_sending()
    case.provider.listed = [untagged("remote-7", file=f"file-{KEY}"), untagged("remote-8", file="file-other")]
    assert case.bring().job.status is Status.SUBMITTING
    assert case.provider.made == {}
    [(_number, reported)] = case.ledger.events(TAG)
    assert f"ftbridge recover {TAG} --adopt remote-7" in str(reported.message)


def untagged(remote_id: str, file: str) -> Listed:
    remote = RemoteJob(remote_id=remote_id, status=Status.RUNNING, raw_status="going")
    return Listed(remote=remote, model="small", training_file=file, created_at=now())


def test_a_copy_of_the_ledger_from_before_the_request_finds_the_job_and_does_not_send_it(
    case: Case, database: str
) -> None:
    if database != "a file":
        pytest.skip("a server's database is not a file that is copied")
    copy = case.home / "copy"
    shutil.copytree(case.home, copy, ignore=shutil.ignore_patterns("copy"))
    assert submit(case.record, case.provider, case.ledger, case.home).job.remote_id == "remote-1"
    restored = Ledger(copy)
    assert submit(restored.job(TAG), case.provider, restored, copy).job.remote_id == "remote-1"
    assert len(case.provider.made) == 1


def test_of_two_copies_of_a_ledger_one_sends_though_the_listing_lags(
    case: Case, minutes: Callable[[float], None], database: str
) -> None:
    if database != "a file":
        pytest.skip("a server's database is not a file that is copied")
    copy = case.home / "copy"
    shutil.copytree(case.home, copy, ignore=shutil.ignore_patterns("copy"))
    case.provider.hidden = True
    assert submit(case.record, case.provider, case.ledger, case.home).job.remote_id == "remote-1"
    restored = Ledger(copy)
    assert submit(restored.job(TAG), case.provider, restored, copy).job.status is Status.SUBMITTING
    case.provider.hidden = False
    assert submit(restored.job(TAG), case.provider, restored, copy).job.remote_id == "remote-1"
    assert len(case.provider.made) == 1


def test_who_has_lost_the_lock_cancels_the_job_that_the_ledger_does_not_want(case: Case) -> None:
    def another_machine_is_quicker() -> None:
        case.ledger.change(case.ledger.job(TAG), status=Status.RUNNING, raw_status="going", remote_id="remote-9")

    case.provider.during = another_machine_is_quicker
    kept = submit(case.record, case.provider, case.ledger, case.home)
    assert kept.job.remote_id == "remote-9"
    assert case.provider.cancelled == ["remote-1"]
    [(_number, reported)] = case.ledger.events(TAG)
    assert reported.message == (
        "scripted has a second job of this request, remote-1, beside remote-9; it was cancelled: check whether it"
        " is billed"
    )


def test_a_job_that_was_cancelled_while_it_was_being_sent_is_cancelled_at_the_vendor(case: Case) -> None:
    def somebody_cancels() -> None:
        case.ledger.change(case.ledger.job(TAG), status=Status.CANCELLED)

    case.provider.during = somebody_cancels
    submit(case.record, case.provider, case.ledger, case.home)
    assert case.provider.cancelled == ["remote-1"]


def test_a_job_that_was_cancelled_while_nobody_knew_is_cancelled_at_the_vendor_when_it_turns_up(
    case: Case, minutes: Callable[[float], None]
) -> None:
    case.provider.after.append(vendor_error(ServerTrouble, provider="scripted", status=500))
    case.provider.hidden = True
    with pytest.raises(ServerTrouble):
        submit(case.record, case.provider, case.ledger, case.home)
    assert cancel_unclear(case.ledger.job(TAG), case.provider, case.ledger).job.status is Status.CANCELLED
    assert case.provider.cancelled == []
    case.provider.hidden = False
    resolve(case.ledger.job(TAG), case.provider, case.ledger)
    assert case.provider.cancelled == ["remote-1"]
