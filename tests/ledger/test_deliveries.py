"""What hooks are owed: by the job's sources, whichever object records the change, on both databases."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ftbridge.ledger import Delivery, Ledger, delivered, due, forget_hooks, postponed, register_hooks
from ftbridge.model import Event, now
from ledger_rows import add, message

HOME, OTHER, PROJECT = "h1", "h2", "h1/p1"
MAIL, TEAM = "mail@h1", "team@h1/p1"
pytestmark = pytest.mark.usefixtures("database")


def owed(ledger: Ledger, *hooks: str) -> list[tuple[str, int]]:
    return [(delivery.hook, delivery.number) for delivery in due(ledger, now(), hooks or (MAIL, TEAM))]


def test_what_is_owed_is_there_until_it_is_delivered(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, [HOME])
    register_hooks(ledger, {HOME: ["mail"]})
    metric = Event(at=now(), kind="metric", step=1, train_loss=1.0)
    ledger.change(add(ledger), [message("one"), metric, message("two")])
    assert due(ledger, now() - timedelta(hours=1), [MAIL]) == []
    one, two = due(ledger, now(), [MAIL])
    assert (one, two) == (Delivery(MAIL, "ftb_aaaa", 1, 0), Delivery(MAIL, "ftb_aaaa", 3, 0))
    delivered(ledger, one)
    postponed(ledger, two, now() + timedelta(hours=1))
    assert due(ledger, now(), [MAIL]) == []
    assert due(ledger, now() + timedelta(hours=2), [MAIL]) == [two._replace(attempts=1)]


def test_the_hooks_of_a_job_are_those_of_where_it_was_submitted_not_of_who_sees_the_change(tmp_path: Path) -> None:
    register_hooks(Ledger(tmp_path), {HOME: ["mail"], PROJECT: ["team"], OTHER: ["theirs"]})
    add(Ledger(tmp_path, [HOME, PROJECT]), "ftb_below")
    add(Ledger(tmp_path, [HOME]), "ftb_beside")
    for ledger in (Ledger(tmp_path), Ledger(tmp_path, [OTHER])):
        ledger.change(ledger.job("ftb_below"), [message("seen")])
        ledger.change(ledger.job("ftb_beside"), [message("seen")])
    found = due(Ledger(tmp_path), now(), [MAIL, TEAM, "theirs@h2"])
    assert sorted((one.job_id, one.hook, one.number) for one in found) == [
        ("ftb_below", MAIL, 1),
        ("ftb_below", MAIL, 2),
        ("ftb_below", TEAM, 1),
        ("ftb_below", TEAM, 2),
        ("ftb_beside", MAIL, 1),
        ("ftb_beside", MAIL, 2),
    ]


def test_a_hook_that_is_added_later_is_owed_what_happens_from_then_on(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, [HOME, PROJECT])
    ledger.change(add(ledger), [message("one")])
    register_hooks(ledger, {HOME: ["mail"]})
    register_hooks(ledger, {PROJECT: ["team"]})
    ledger.change(ledger.job("ftb_aaaa"), [message("two")])
    register_hooks(ledger, {HOME: []})
    ledger.change(ledger.job("ftb_aaaa"), [message("three")])
    assert sorted(owed(ledger)) == [(MAIL, 2), (TEAM, 2), (TEAM, 3)]


def test_what_nobody_here_can_deliver_stays_due_and_keeps_nothing_else_waiting(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, [HOME, PROJECT])
    register_hooks(ledger, {HOME: ["mail"], PROJECT: ["team"]})
    record = add(ledger)
    for count in range(150):  # more than are read at once
        record = ledger.change(record, [message(f"{count}")]) or record
        [mine] = due(ledger, now(), [MAIL])
        delivered(ledger, mine)
    assert len(due(ledger, now(), [TEAM], limit=1000)) == 150


def test_a_source_that_is_forgotten_is_owed_nothing_and_others_are(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, [HOME, PROJECT])
    register_hooks(ledger, {HOME: ["mail"], PROJECT: ["team"]})
    ledger.change(add(ledger), [message("one")])
    forget_hooks(ledger, PROJECT)
    ledger.change(ledger.job("ftb_aaaa"), [message("two")])
    assert owed(ledger) == [(MAIL, 1), (MAIL, 2)]


def test_a_hook_of_one_process_is_owed_by_the_jobs_that_it_adds(tmp_path: Path) -> None:
    add(Ledger(tmp_path, [HOME, "own@h1/python"]))
    ledger = Ledger(tmp_path)
    ledger.change(ledger.job("ftb_aaaa"), [message("seen by another")])
    assert owed(ledger, "own@h1/python") == [("own@h1/python", 1)]
