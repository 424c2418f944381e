"""The durable submit: whatever dies when, the vendor ends up with one job."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from xxhash import xxh3_128_hexdigest

from ftbridge.errors import (
    FtbridgeError,
    LedgerError,
    NetworkError,
    ProviderError,
    ProviderRetired,
    StateError,
)
from ftbridge.jobs.exactly_once.sending import submit
from ftbridge.jobs.polling import EventBudget, poll_jobs
from ftbridge.jobs.request.prepared import prepared_file
from ftbridge.ledger import Intent, Ledger, Prepared, Record, unfinished
from ftbridge.model import Result, Spec, Status, now
from ftbridge.provider import RemoteJob
from scripted_provider import Died, ScriptedProvider, vendor_error

K1 = xxh3_128_hexdigest(b"training rows")
K2 = xxh3_128_hexdigest(b"validation rows")


@pytest.fixture
def record(tmp_path: Path, ledger: Ledger) -> Record:
    (tmp_path / "prepared").mkdir()
    for key, rows in ((K1, b"training rows"), (K2, b"validation rows")):
        prepared_file(tmp_path, key).write_bytes(rows)
    spec = Spec(target="scripted:small", data=Path("rows.jsonl"))
    prepared = Prepared(training=K1, validation=K2)
    return ledger.add(
        Intent(id="ftb_aaaa", target=spec.target, spec=spec, prepared=prepared, request_hash="h", created_at=now())
    )


def test_a_job_is_made_once_with_its_tag_and_remembered(
    tmp_path: Path, ledger: Ledger, provider: ScriptedProvider, record: Record
) -> None:
    made = submit(record, provider, ledger, tmp_path)
    assert made.job.remote_id == "remote-1"
    assert made.job.status is Status.QUEUED
    assert made.job.raw_status == "waiting"
    assert provider.made == {"remote-1": "ftb_aaaa"}
    assert submit(made, provider, ledger, tmp_path) == made
    assert len(provider.made) == 1


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "fault",
    [
        Died(),
        vendor_error(NetworkError),
        vendor_error(LedgerError),
        vendor_error(ProviderError, provider="scripted", status=500),
        vendor_error(ProviderError, provider="scripted"),
    ],
    ids=["killed", "connection lost", "nowhere to write it down", "500", "nonsense"],
)
def test_an_unclear_end_is_cleared_up_by_the_next_try(
    tmp_path: Path, ledger: Ledger, provider: ScriptedProvider, record: Record, when: str, fault: BaseException
) -> None:
    getattr(provider, when).append(fault)
    provider.listing = vendor_error(NetworkError)
    with pytest.raises(type(fault)) as problem:
        submit(record, provider, ledger, tmp_path)
    if isinstance(problem.value, FtbridgeError):
        assert "ftbridge recover" in problem.value.hint
    provider.listing = None
    assert ledger.job("ftb_aaaa").job.status is Status.SUBMITTING
    recovered = submit(ledger.job("ftb_aaaa"), provider, ledger, tmp_path)
    assert recovered.job.remote_id == "remote-1"
    assert len(provider.made) == 1
    assert provider.uploads == [K1, K2]


def test_a_refusal_fails_the_job_and_is_not_asked_again(
    tmp_path: Path, ledger: Ledger, provider: ScriptedProvider, record: Record
) -> None:
    provider.before.append(vendor_error(ProviderError, provider="scripted", status=400, code="bad_model"))
    with pytest.raises(ProviderError, match="the vendor's words"):
        submit(record, provider, ledger, tmp_path)
    failed = ledger.job("ftb_aaaa")
    assert failed.job.status is Status.FAILED
    assert failed.job.error == "the vendor's words"
    assert failed.job.finished_at
    assert submit(failed, provider, ledger, tmp_path) == failed
    assert provider.made == {}


def test_a_new_job_that_the_listing_may_not_show_yet_is_waited_for(
    tmp_path: Path, ledger: Ledger, provider: ScriptedProvider, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScriptedProvider, "listing_lag_seconds", 60.0)
    provider.before.append(Died())
    with pytest.raises(Died):
        submit(record, provider, ledger, tmp_path)
    assert submit(record, provider, ledger, tmp_path).job.status is Status.SUBMITTING
    assert provider.made == {}
    monkeypatch.setattr(ScriptedProvider, "listing_lag_seconds", 0.0)
    assert submit(record, provider, ledger, tmp_path).job.remote_id == "remote-1"


def test_while_one_process_submits_another_keeps_its_hands_off(
    tmp_path: Path, ledger: Ledger, provider: ScriptedProvider, record: Record
) -> None:
    with ledger.lock("ftb_aaaa"):
        assert submit(record, provider, ledger, tmp_path).job.status is Status.SUBMITTING
    assert provider.made == {}


def test_a_job_that_another_process_sends_is_waited_for_as_long_as_there_is_patience(
    tmp_path: Path, ledger: Ledger, provider: ScriptedProvider, record: Record
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with ledger.lock("ftb_aaaa") as mine:
            assert mine
            waits = pool.submit(submit, record, provider, ledger, tmp_path, patience=30)
            time.sleep(0.2)
            assert not waits.done()
            ledger.change(record, status=Status.QUEUED, raw_status="waiting", remote_id="remote-7")
        assert waits.result().job.remote_id == "remote-7"
    assert provider.made == {}


def test_a_file_uploaded_before_is_not_uploaded_again(
    tmp_path: Path, ledger: Ledger, provider: ScriptedProvider, record: Record
) -> None:
    ledger.remember_upload("scripted", K1, "file-before")
    submit(record, provider, ledger, tmp_path)
    assert provider.uploads == [K2]


def test_a_prepared_file_that_is_gone_is_named(
    tmp_path: Path, ledger: Ledger, provider: ScriptedProvider, record: Record
) -> None:
    prepared_file(tmp_path, K2).unlink()
    with pytest.raises(StateError, match=rf"{K2}\.jsonl is gone"):
        submit(record, provider, ledger, tmp_path)
    assert provider.made == {}


def test_a_vendor_that_has_closed_is_not_asked_again(
    tmp_path: Path, ledger: Ledger, provider: ScriptedProvider, record: Record
) -> None:
    provider.before.append(vendor_error(ProviderRetired, provider="scripted", status=501))
    with pytest.raises(ProviderRetired):
        submit(record, provider, ledger, tmp_path)
    assert ledger.job("ftb_aaaa").job.status is Status.FAILED


def test_a_job_that_was_over_when_it_was_found_is_ended_by_the_next_look_with_its_result(
    tmp_path: Path, ledger: Ledger, provider: ScriptedProvider, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = RemoteJob(
        remote_id="remote-1", status=Status.SUCCEEDED, raw_status="done", result=Result(model="tuned-model")
    )
    monkeypatch.setattr(provider, "find", lambda _tag: [over])
    provider.polled["remote-1"] = over
    posted = ledger.change(record, posted_at=now())
    assert posted is not None
    found = submit(posted, provider, ledger, tmp_path)
    assert found.job.status is Status.QUEUED
    poll_jobs(unfinished(ledger), provider, ledger, EventBudget())
    after = ledger.job("ftb_aaaa").job
    assert after.status is Status.SUCCEEDED
    assert after.result == over.result
