"""Places, summaries and deliveries, in a file and on a server."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from ftbridge.ledger import Ledger, last_numbers, reserve_slot, unfinished, waiting
from ftbridge.ledger import summaries as summaries
from ftbridge.model import Status, now
from ledger_rows import add, message

pytestmark = pytest.mark.usefixtures("database")


def test_places_are_taken_in_the_order_of_asking(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    first, second, third = (add(ledger, f"ftb_{number}", at=now()) for number in (3, 2, 1))
    assert [record.job.id for record in waiting(ledger, "local")] == ["ftb_3", "ftb_2", "ftb_1"]
    assert reserve_slot(ledger, third, 2) is None
    taken = reserve_slot(ledger, first, 2)
    assert taken
    assert taken.posted_at
    assert reserve_slot(ledger, first, 2) is None
    assert reserve_slot(ledger, second, 2)
    assert reserve_slot(ledger, third, 2) is None
    assert ledger.change(taken, status=Status.SUCCEEDED)
    assert reserve_slot(ledger, third, 2)


def test_processes_that_race_for_the_places_take_no_more_than_there_are(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ids = [f"ftb_{number}" for number in range(8)]
    for job_id in ids:
        add(ledger, job_id)
    fresh = multiprocessing.get_context("spawn")
    racers = [fresh.Process(target=take_all, args=(tmp_path, ids[start::2])) for start in (0, 1)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(60)
        assert racer.exitcode == 0
    assert [record.job.id for record in ledger.jobs() if record.posted_at] == ids[:3]


def take_all(home: Path, ids: list[str]) -> None:
    ledger = Ledger(home)
    for _round in range(8):
        for job_id in ids:
            record = ledger.job(job_id)
            if not record.posted_at:
                reserve_slot(ledger, record, 3)


def test_a_glance_tells_of_any_number_of_jobs(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    over = add(ledger, "ftb_over")
    ledger.change(over, status=Status.FAILED)
    add(ledger, "ftb_going")
    assert [summary.id for summary in unfinished(ledger)] == ["ftb_going"]
    many = [f"ftb_{number}" for number in range(12_000)]
    found = {summary.id: summary for summary in summaries(ledger, [*many, "ftb_over", "ftb_going"])}
    assert {job_id: summary.status for job_id, summary in found.items()} == {
        "ftb_over": "failed",
        "ftb_going": "submitting",
    }
    assert found["ftb_over"].version == 1


def test_the_newest_events_of_any_number_of_jobs_are_told_by_their_numbers(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.change(add(ledger, "ftb_three"), [message("a"), message("b"), message("c")])
    add(ledger, "ftb_none")
    many = [f"ftb_{number}" for number in range(12_000)]
    numbers = last_numbers(ledger, [*many, "ftb_three", "ftb_none"])
    assert (numbers["ftb_three"], numbers["ftb_none"], len(numbers)) == (3, 0, 12_002)
