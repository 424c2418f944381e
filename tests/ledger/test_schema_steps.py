"""A ledger that any earlier version has written goes on in this one, with all that is in it."""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, inspect

from ftbridge.ledger import Ledger
from ftbridge.ledger.schema import MIGRATIONS, schema_of
from ftbridge.model import Latest, Result, Status
from ledger_rows import add, message

RECORDED = sorted((Path(__file__).parent / "schemas").glob("schema_*.sql"))


@pytest.fixture
def engine_url(database: str, tmp_path: Path) -> str:
    """Where the ledger of `tmp_path` lies."""
    return os.environ["FTBRIDGE_LEDGER"] if database == "PostgreSQL" else f"sqlite:///{tmp_path / 'ledger.sqlite'}"


def run_script(url: str, script: str) -> None:
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as file:
            file.executescript(script)
        file.close()
    else:
        engine = create_engine(url)
        with engine.begin() as connection:
            driver = connection.connection.driver_connection
            assert driver
            driver.execute(script)
        engine.dispose()


def columns(connection: Connection) -> dict[str, set[str]]:
    tables = inspect(connection)
    return {table: {column["name"] for column in tables.get_columns(table)} for table in tables.get_table_names()}


def test_every_schema_but_the_newest_is_recorded() -> None:
    assert {f"schema_{number}.sql" for number in range(1, len(MIGRATIONS))} <= {file.name for file in RECORDED}


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda file: file.stem)
def test_a_recorded_ledger_is_brought_up_to_date_with_its_jobs(recorded: Path, engine_url: str, tmp_path: Path) -> None:
    run_script(engine_url, recorded.read_text("utf-8"))
    ledger = Ledger(tmp_path)
    with ledger._database.engine.connect() as connection:
        assert schema_of(connection) == len(MIGRATIONS)

    done, unclear, failed, running = ledger.jobs()
    assert done.job.status is Status.SUCCEEDED
    assert done.job.result == Result(model="ft:gpt-4.1-mini:org:mine:1", files=("file-9",))
    assert done.job.latest == Latest(step=3, total_steps=4, train_loss=1.25, valid_loss=1.5)
    assert done.job.cost.actual_usd == 1.75
    assert done.job.finished_at == datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
    assert done.job.spec.data == Path("/data/it's rows.jsonl")
    assert done.job.spec.hyperparameters.given() == {"epochs": 2, "learning_rate": 1e-4, "seed": 7}
    assert (done.cursor, done.version) == ("e2", 2)
    assert ledger.by_key("monday") == done
    reported = [event for _number, event in ledger.events(done.job.id)]
    assert [event.message for event in reported] == ["it's running; 100 %", None, "two lines\nand “quotes”"]
    assert (unclear.job.status, unclear.posted_at is not None) == (Status.SUBMITTING, True)
    assert (failed.job.status, failed.job.error) == (Status.FAILED, "it's broken")
    assert (running.job.status, running.job.raw_status, running.cursor) == (Status.UNKNOWN, "DEFRAGMENTING", "c4")
    assert ledger.upload("openai/1a2b", "k1") == "file-1"

    changed = ledger.change(running, [message("goes on")], status=Status.RUNNING)
    assert changed
    assert changed.job.status is Status.RUNNING
    add(ledger, "ftb_new")
    assert Ledger(tmp_path).job("ftb_new").job.status is Status.SUBMITTING


def test_a_migrated_ledger_has_the_columns_of_a_new_one(tmp_path: Path) -> None:
    new = Ledger(tmp_path)
    with new._database.engine.connect() as connection:
        expected = columns(connection)
    for recorded in RECORDED:
        home = tmp_path / recorded.stem
        home.mkdir()
        run_script(f"sqlite:///{home / 'ledger.sqlite'}", recorded.read_text("utf-8"))
        with Ledger(home)._database.engine.connect() as connection:
            assert columns(connection) == expected
