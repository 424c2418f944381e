"""Write down, as SQL, a ledger as this version of ftbridge makes it, for `test_migrations` to migrate ever after.

    python tests/ledger/record_schema.py > tests/ledger/schemas/schema_2.sql

To be run once for each schema, before the next migration is added. What it writes is never changed.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ftbridge.ledger import Intent, Ledger, Prepared
from ftbridge.model import Event, Hyperparameters, Latest, Method, Result, Spec, Status

START = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def fill(ledger: Ledger) -> None:
    """Jobs in four states, one of them with everything that a job may have."""
    done = ledger.add(intent("ftb_000000000001", "openai:gpt-4.1-mini-2025-04-14", key="monday"))
    posted = ledger.change(done, posted_at=START)
    assert posted
    reported = [
        Event(at=START, kind="status", status=Status.RUNNING, message="it's running; 100 %"),
        Event(at=START, kind="metric", cursor="e1", step=3, total_steps=4, train_loss=1.25, valid_loss=1.5),
        Event(at=START, kind="message", cursor="e2", message="two lines\nand “quotes”"),
    ]
    ledger.change(
        posted,
        reported,
        status=Status.SUCCEEDED,
        raw_status="succeeded",
        remote_id="ftjob-1",
        latest=Latest(step=3, total_steps=4, train_loss=1.25, valid_loss=1.5),
        result=Result(model="ft:gpt-4.1-mini:org:mine:1", files=("file-9",)),
        last_cursor="e2",
        actual_usd=1.75,
        finished_at=START + timedelta(hours=1),
    )
    unclear = ledger.add(intent("ftb_000000000002", "together:Qwen/Qwen3-8B"))
    ledger.change(unclear, posted_at=START + timedelta(minutes=1))
    failed = ledger.add(intent("ftb_000000000003", "local:tiny"))
    ledger.change(failed, status=Status.FAILED, error="it's broken", finished_at=START)
    running = ledger.add(intent("ftb_000000000004", "mistral:open-mistral-nemo"))
    ledger.change(running, status=Status.UNKNOWN, raw_status="DEFRAGMENTING", remote_id="job-4", last_cursor="c4")
    ledger.remember_upload("openai/1a2b", "k1", "file-1")


def intent(job_id: str, target: str, key: str | None = None) -> Intent:
    """A wish with every kind of value in it."""
    return Intent(
        id=job_id,
        target=target,
        spec=Spec(
            target=target,
            data=Path("/data/it's rows.jsonl"),
            validation=Path("/data/held.jsonl"),
            method=Method.SFT,
            hyperparameters=Hyperparameters(epochs=2, learning_rate=1e-4, seed=7),
            name="mine",
        ),
        prepared=Prepared(training="k1", validation="k2"),
        request_hash="h1",
        key=key,
        created_at=START + timedelta(seconds=int(job_id[-1])),
    )


def statements(file: Path) -> Iterator[str]:
    """What makes the same database again, in SQLite and in PostgreSQL."""
    connection = sqlite3.connect(file)
    made = connection.execute(
        "SELECT name, type, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
    ).fetchall()
    for name, kind, sql in made:
        yield f"{sql};"
        if kind == "table":
            columns = [column[1] for column in connection.execute(f"PRAGMA table_info({name})")]
            values = " || ', ' || ".join(f"quote({column})" for column in columns)
            for (row,) in connection.execute(f"SELECT {values} FROM {name}"):
                yield f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({row});"
    connection.close()


def main() -> None:
    """Print the statements."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder))
        fill(ledger)
        ledger.close()
        sys.stdout.write("\n".join(statements(Path(folder) / "ledger.sqlite")) + "\n")


if __name__ == "__main__":
    main()
