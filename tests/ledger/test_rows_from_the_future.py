"""What a newer ftbridge has written is read as far as it is known, is kept, and stops nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from command_line import Cli
from ftbridge import Bridge
from ftbridge.errors import SpecError, StateError
from ftbridge.jobs.polling import latest_of
from ftbridge.jobs.queue import send
from ftbridge.ledger import Ledger, register_hooks, summaries, unfinished
from ftbridge.model import Event, Latest, Status, now
from ftbridge.stored import UNDATED
from ledger_rows import add, message
from watching_helpers import OPENAI

pytestmark = pytest.mark.usefixtures("database")


def rewrite(ledger: Ledger, job_id: str, **columns: Mapping[str, Any] | str) -> None:
    """Let the job's row be as a newer ftbridge may write it: JSON objects get more keys, texts are replaced."""
    with ledger.writing() as connection:
        for column, value in columns.items():
            of_job = {"id": job_id}
            if not isinstance(value, str):
                known = connection.execute(text(f"SELECT {column} FROM jobs WHERE id = :id"), of_job).scalar()
                value = json.dumps(json.loads(known or "{}") | value)
            connection.execute(text(f"UPDATE jobs SET {column} = :value WHERE id = :id"), {**of_job, "value": value})


def write_event(ledger: Ledger, job_id: str, number: int, event: Mapping[str, Any]) -> None:
    values = {"id": job_id, "number": number, "event": json.dumps({"at": now().isoformat(), **event})}
    with ledger.writing() as connection:
        connection.execute(text("INSERT INTO events VALUES (:id, :number, :event)"), values)


def test_unknown_fields_are_kept_when_the_row_is_written_again(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.change(add(ledger), latest=Latest(step=1), status=Status.RUNNING)
    rewrite(ledger, "ftb_aaaa", latest={"perplexity": 3.5}, result={"model": "m", "licence": "mit"})
    record = ledger.job("ftb_aaaa")
    newer = latest_of(record.job.latest, [Event(at=now(), kind="metric", step=2)])
    changed = ledger.change(record, latest=newer, result=record.job.result)
    assert changed
    assert changed.job.latest.step == 2
    with ledger.reading() as connection:
        stored = connection.execute(text("SELECT latest, result FROM jobs")).one()
    assert json.loads(stored.latest) | {"step": 2, "perplexity": 3.5} == json.loads(stored.latest)
    assert json.loads(stored.result) | {"model": "m", "licence": "mit"} == json.loads(stored.result)


def test_an_unknown_status_is_unknown_with_its_word_kept(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    add(ledger)
    rewrite(ledger, "ftb_aaaa", status="hibernating")
    job = ledger.job("ftb_aaaa").job
    assert (job.status, job.raw_status) == (Status.UNKNOWN, "hibernating")
    assert [summary.status for summary in (*unfinished(ledger), *summaries(ledger, ["ftb_aaaa"]))] == ["unknown"] * 2
    rewrite(ledger, "ftb_aaaa", raw_status="the vendor's word")
    assert ledger.job("ftb_aaaa").job.raw_status == "the vendor's word"


def test_events_of_an_unknown_kind_or_status_are_told_all_the_same(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    add(ledger)
    write_event(ledger, "ftb_aaaa", 1, {"kind": "artifact", "size": 5})
    write_event(ledger, "ftb_aaaa", 2, {"kind": "status", "status": "hibernating"})
    write_event(ledger, "ftb_aaaa", 3, {"kind": "metric", "step": 1, "train_loss": "none", "valid_loss": 1.5})
    write_event(ledger, "ftb_aaaa", 4, {"kind": "message", "message": "m", "at": "on the first day"})
    ledger.change(ledger.job("ftb_aaaa"), [message("known")])
    artifact, status, metric, undated, known = [event for _number, event in ledger.events("ftb_aaaa")]
    assert (artifact.kind, artifact.message) == ("message", "artifact, which this ftbridge does not know")
    assert (status.status, status.message) == (Status.UNKNOWN, "hibernating")
    assert (metric.step, metric.train_loss, metric.valid_loss) == (1, None, 1.5)
    assert (undated.message, known.message) == ("m", "known")


@pytest.mark.parametrize(
    ("column", "value", "name"),
    [
        ("spec", {"method": "grpo"}, "method"),
        ("spec", {"curriculum": "by length"}, "curriculum"),
        ("spec", {"hyperparameters": {"optimizer": "muon"}}, "hyperparameters.optimizer"),
        ("spec", {"hyperparameters": {"epochs": 5000}}, "hyperparameters.epochs"),
        ("prepared", {"images": "k9"}, "images"),
    ],
)
def test_a_job_that_is_not_known_in_full_is_shown_and_never_sent(
    bridge: Bridge, column: str, value: Mapping[str, Any], name: str
) -> None:
    add(bridge.ledger)
    rewrite(bridge.ledger, "ftb_aaaa", **{column: value})
    record = bridge.ledger.job("ftb_aaaa")
    assert record.not_understood == (name,)
    assert record.job.spec.target == "local:tiny"
    with pytest.raises(SpecError, match=f"does not know its {name}"):
        send(bridge, record)
    bridge.recover()
    assert [event.message for event in bridge.events("ftb_aaaa") if name in str(event.message)]
    assert bridge.job("ftb_aaaa").status is Status.SUBMITTING


def test_what_says_nothing_new_is_known_in_full(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    add(ledger)
    rewrite(ledger, "ftb_aaaa", spec={"curriculum": None})
    assert ledger.job("ftb_aaaa").not_understood == ()


@pytest.mark.parametrize("junk", ["", "null", "[]", "{", "\x01"])
def test_a_column_that_holds_no_object_hides_no_job(tmp_path: Path, junk: str) -> None:
    ledger = Ledger(tmp_path)
    add(ledger)
    rewrite(ledger, "ftb_aaaa", spec=junk, latest=junk, result=junk, prepared=junk, unclear=junk, hooks=junk)
    [record] = ledger.jobs()
    assert (record.job.id, record.job.spec.target) == ("ftb_aaaa", "local:tiny")
    assert ledger.change(record, [message("goes on")])


@pytest.mark.parametrize("junk", ["junk", "[1]", "2026-99-01T00:00:00"])
def test_a_time_that_cannot_be_read_hides_no_job_and_unsends_none(tmp_path: Path, junk: str) -> None:
    ledger = Ledger(tmp_path)
    ledger.change(add(ledger), posted_at=now())
    rewrite(ledger, "ftb_aaaa", created_at=junk, posted_at=junk, finished_at=junk, progress_at=junk)
    record = ledger.job("ftb_aaaa")
    assert record.is_unclear
    assert record.job.created_at == record.posted_at == UNDATED
    assert [record.job.id for record in ledger.jobs()] == ["ftb_aaaa"]


@pytest.mark.usefixtures("vendors")
def test_every_command_works_beside_a_row_from_the_future(here: Cli, home: Path, data: Path) -> None:
    old = here("submit", data, "--to", OPENAI, "--json").json["id"]
    future = here("submit", data, "--to", OPENAI, "--again", "--json").json["id"]
    ledger = Ledger(home)
    register_hooks(ledger, {"another home": ["its-hook"]})
    rewrite(
        ledger,
        future,
        status="hibernating",
        spec={"method": "grpo", "curriculum": "by length", "max_cost_usd": {"eur": 3}},
        latest={"perplexity": 3.5},
        prepared={"images": "k9"},
        hooks=json.dumps(["another home"]),
    )
    write_event(ledger, future, 90, {"kind": "artifact", "size": 5})
    write_event(ledger, future, 91, {"kind": "status", "status": "hibernating"})
    ledger.close()
    assert {job["id"] for job in here("jobs", "--json").json["jobs"]} == {old, future}
    assert here("show", future, "--json").json["id"] == future
    assert "artifact" in here("events", future).out
    assert here("costs", "--json").code == 0
    assert here("watch", "--json").code == 0
    assert {job["status"] for job in here("jobs", "--json").json["jobs"]} == {"succeeded"}  # the vendor says so
    assert here("recover").code == 0


def test_a_ledger_of_a_newer_schema_is_left_alone_with_a_sentence(here: Cli, home: Path) -> None:
    home.mkdir()
    ledger = Ledger(home)
    with ledger.writing() as connection:
        connection.execute(text("INSERT INTO migrations VALUES (99, 'from the future')"))
    ledger.close()
    with pytest.raises(StateError, match="newer ftbridge"):
        Ledger(home)
    ran = here("jobs")
    assert ran.code == 2
    assert "Upgrade ftbridge" in ran.err
