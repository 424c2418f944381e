"""The ledger keeps what it was told, for any number of processes at once."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
from pathlib import Path

import pytest

from ftbridge.errors import JobNotFound, StateError
from ftbridge.ledger import Intent, Ledger, Prepared, Record, job_lock
from ftbridge.model import Event, Result, Spec, Status, now


def add(ledger: Ledger, job_id: str = "ftb_aaaa", key: str | None = None) -> Record:
    return ledger.add(
        Intent(
            id=job_id,
            target="local:tiny",
            spec=Spec(target="local:tiny", data=Path("rows.jsonl"), name="mine"),
            prepared=Prepared(training="k1"),
            request_hash="h1",
            key=key,
            created_at=now(),
        )
    )


def message(text: str) -> Event:
    return Event(at=now(), kind="message", message=text)


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


def test_the_same_key_is_the_same_job(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    first = add(ledger, "ftb_aaaa", key="monday")
    assert add(ledger, "ftb_bbbb", key="monday") == first
    assert len(ledger.jobs()) == 1


def test_a_job_is_found_by_the_beginning_of_its_id_or_as_the_last(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    add(ledger, "ftb_aaaa")
    add(ledger, "ftb_abbb")
    assert ledger.job("ftb_aa").job.id == "ftb_aaaa"
    assert ledger.job("last").job.id == "ftb_abbb"
    with pytest.raises(JobNotFound, match="several"):
        ledger.job("ftb_a")
    with pytest.raises(JobNotFound, match="no job"):
        ledger.job("ftb_z")
    with pytest.raises(JobNotFound):
        ledger.job("")
    with pytest.raises(JobNotFound):
        ledger.job("ftb%")


def test_an_upload_is_remembered_by_account_and_content(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    assert ledger.upload("local", "k1") is None
    ledger.remember_upload("local", "k1", "file-1")
    assert Ledger(tmp_path).upload("local", "k1") == "file-1"
    assert ledger.upload("openai", "k1") is None


def test_a_damaged_ledger_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"this is not a database, though long enough to look at" * 40)
    with pytest.raises(StateError, match=r"ledger\.sqlite cannot be used") as problem:
        Ledger(tmp_path)
    assert problem.value.hint


def test_a_ledger_from_a_newer_ftbridge_is_left_alone(tmp_path: Path) -> None:
    Ledger(tmp_path)
    with sqlite3.connect(tmp_path / "ledger.sqlite") as connection:
        connection.execute("INSERT INTO migrations VALUES (99, 'from the future')")
    connection.close()
    with pytest.raises(StateError, match="newer ftbridge"):
        Ledger(tmp_path)


def _write_many(home: Path, who: str) -> None:
    ledger = Ledger(home)
    for count in range(20):
        while ledger.change(ledger.job("ftb_aaaa"), [message(f"{who}{count}")], status=Status.RUNNING) is None:
            pass


def test_two_processes_writing_at_once_lose_nothing(tmp_path: Path) -> None:
    add(Ledger(tmp_path))
    fresh = multiprocessing.get_context("spawn")
    writers = [fresh.Process(target=_write_many, args=(tmp_path, who)) for who in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    told = Ledger(tmp_path).events("ftb_aaaa")
    assert [number for number, _event in told] == list(range(1, 41))
    assert {event.message for _number, event in told} == {f"{who}{count}" for who in "ab" for count in range(20)}


def test_a_lock_is_held_by_one_and_freed_by_death(tmp_path: Path) -> None:
    with job_lock(tmp_path, "ftb_aaaa") as mine, job_lock(tmp_path, "ftb_aaaa") as second:
        assert mine
        assert not second
    child = os.fork()
    if child == 0:
        with job_lock(tmp_path, "ftb_aaaa"):
            os._exit(0)
    os.waitpid(child, 0)
    with job_lock(tmp_path, "ftb_aaaa") as mine:
        assert mine
