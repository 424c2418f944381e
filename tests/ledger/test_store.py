"""The ledger keeps what it was told, for any number of processes at once, in a file and on a server."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Event as Sign
from pathlib import Path

import pytest
from sqlalchemy import text

from ftbridge.errors import StateError
from ftbridge.ledger import Ledger
from ftbridge.model import Result, Status
from ledger_rows import add, message

pytestmark = pytest.mark.usefixtures("database")


def test_an_intent_is_a_job_that_is_submitting(tmp_path: Path) -> None:
    record = add(Ledger(tmp_path))
    assert record.job.status is Status.SUBMITTING
    assert record.job.name == "mine"
    assert Ledger(tmp_path).job("ftb_aaaa") == record


def test_a_change_and_its_events_are_committed_together(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    record = add(ledger)
    changed = ledger.change(record, [message("a"), message("b")], status=Status.RUNNING, result=Result(model="m"))
    assert changed is not None
    assert changed.job.status is Status.RUNNING
    assert changed.job.result == Result(model="m")
    assert [(number, event.message) for number, event in Ledger(tmp_path).events("ftb_aaaa")] == [(1, "a"), (2, "b")]
    assert [number for number, _event in ledger.events("ftb_aaaa", after=1)] == [2]


def test_a_change_to_what_somebody_else_has_changed_does_nothing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    record = add(ledger)
    assert ledger.change(record, [message("first")], status=Status.RUNNING)
    assert ledger.change(record, [message("second")], status=Status.FAILED) is None
    assert ledger.job("ftb_aaaa").job.status is Status.RUNNING
    assert len(ledger.events("ftb_aaaa")) == 1


def test_words_that_no_database_can_hold_are_kept_as_far_as_they_can_be(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    changed = ledger.change(add(ledger), [message("a\0b")], error="a\0b\ud800c", raw_status="Prüfung")
    assert changed
    assert changed.job.error == "a\N{REPLACEMENT CHARACTER}b?c"
    assert changed.job.raw_status == "Prüfung"
    assert ledger.events("ftb_aaaa")[0][1].message == "a\N{REPLACEMENT CHARACTER}b"


def test_a_job_that_the_vendor_has_is_adopted_once(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    job = add(ledger).job.model_copy(update={"id": "ftb_bbbb", "remote_id": "remote-1", "status": Status.RUNNING})
    assert ledger.adopt(job, message("found"))
    assert not ledger.adopt(job, message("found"))
    assert ledger.job("ftb_bbbb").job == job
    assert [event.message for _number, event in ledger.events("ftb_bbbb")] == ["found"]


def test_the_same_key_is_the_same_job(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    first = add(ledger, "ftb_aaaa", key="monday")
    assert add(ledger, "ftb_bbbb", key="monday") == first
    assert len(ledger.jobs()) == 1


def test_an_upload_is_remembered_by_account_and_content(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    assert ledger.upload("local", "k1") is None
    ledger.remember_upload("local", "k1", "file-1")
    assert Ledger(tmp_path).upload("local", "k1") == "file-1"
    assert ledger.upload("openai", "k1") is None


def test_the_same_file_uploaded_by_two_at_once_is_remembered_once(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.remember_upload("openai", "k1", "file-1")
    ledger.remember_upload("openai", "k1", "file-2")
    assert ledger.upload("openai", "k1") == "file-2"


def test_a_ledger_from_a_newer_ftbridge_is_left_alone(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    with ledger.writing() as connection:
        connection.execute(text("INSERT INTO migrations VALUES (99, 'from the future')"))
    with pytest.raises(StateError, match="newer ftbridge"):
        Ledger(tmp_path)


def test_jobs_are_in_the_order_of_their_making_whatever_the_servers_language(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    whole = datetime(2026, 11, 22, 12, tzinfo=UTC)
    moments = [whole + timedelta(microseconds=count) for count in (0, 1, 10, 999_999)]
    for number, moment in enumerate(moments):
        add(ledger, f"ftb_{9 - number}", at=moment)
    assert [record.job.created_at for record in ledger.jobs()] == moments


def write_many(home: Path, who: str) -> None:
    ledger = Ledger(home)
    for count in range(20):
        while ledger.change(ledger.job("ftb_aaaa"), [message(f"{who}{count}")], status=Status.RUNNING) is None:
            pass


def test_two_processes_writing_at_once_lose_nothing(tmp_path: Path) -> None:
    add(Ledger(tmp_path))
    fresh = multiprocessing.get_context("spawn")
    writers = [fresh.Process(target=write_many, args=(tmp_path, who)) for who in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    reported = Ledger(tmp_path).events("ftb_aaaa")
    assert [number for number, _event in reported] == list(range(1, 41))
    assert {event.message for _number, event in reported} == {f"{who}{count}" for who in "ab" for count in range(20)}


def test_two_processes_that_open_a_new_ledger_at_once_find_one(tmp_path: Path) -> None:
    fresh = multiprocessing.get_context("spawn")
    openers = [fresh.Process(target=open_and_add, args=(tmp_path, f"ftb_{who}")) for who in "ab"]
    for opener in openers:
        opener.start()
    for opener in openers:
        opener.join(60)
    assert {record.job.id for record in Ledger(tmp_path).jobs()} == {"ftb_a", "ftb_b"}


def open_and_add(home: Path, job_id: str) -> None:
    add(Ledger(home), job_id)


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    with ledger.lock("ftb_aaaa") as mine, ledger.lock("ftb_aaaa") as second, Ledger(tmp_path).lock("ftb_bbbb") as other:
        assert mine
        assert not second
        assert other
    with ledger.lock("ftb_aaaa") as mine:
        assert mine


def test_a_lock_stays_with_a_process_that_is_stopped_and_is_freed_by_its_death(tmp_path: Path) -> None:
    fresh = multiprocessing.get_context("spawn")
    taken = fresh.Event()
    holder = fresh.Process(target=hold_for_ever, args=(tmp_path, taken))
    holder.start()
    assert taken.wait(60)
    ledger = Ledger(tmp_path)
    os.kill(int(holder.pid or 0), signal.SIGSTOP)
    with ledger.lock("ftb_aaaa") as mine:
        assert not mine
    holder.kill()
    holder.join(60)
    deadline = time.monotonic() + 60  # a server hears of the death a moment later
    while time.monotonic() < deadline:
        with ledger.lock("ftb_aaaa") as mine:
            if mine:
                return
        time.sleep(0.05)
    raise AssertionError("the lock was not freed")


def hold_for_ever(home: Path, taken: Sign) -> None:
    with Ledger(home).lock("ftb_aaaa"):
        taken.set()
        signal.pause()
