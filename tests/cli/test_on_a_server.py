"""The same commands with the ledger in a file and on a PostgreSQL server."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from command_line import Cli
from ftbridge import Bridge, Status
from ftbridge.ledger import Ledger
from ftbridge.mock.vendors import MockVendors
from hosted_helpers import asked

TARGET = "openai:gpt-4.1-mini-2025-04-14"


def recover_twice_at_once() -> None:
    command = [sys.executable, "-m", "ftbridge", "recover"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)]
    outputs = [process.communicate(timeout=120)[0] for process in both]
    # 1 is said by the one that looks while the other still is at it
    assert {process.returncode for process in both} in ({0}, {0, 4}), outputs


def created(mock: MockVendors) -> int:
    return asked(mock["openai"], "create_job")


def test_a_whole_round(database: str, rows: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTBRIDGE_MOCK_SPEED", "600")
    with Bridge() as bridge:
        job = bridge.submit(
            rows, to=f"mock+{TARGET}", validation=rows, epochs=2, name="round", idempotency_key="monday"
        )
        assert (
            bridge.submit(rows, to=f"mock+{TARGET}", validation=rows, epochs=2, name="round", idempotency_key="monday")
            == job
        )
        shown = [event for _job, event in bridge.watch(job) if event is not None]
        job = bridge.job(job)
        assert job.status is Status.SUCCEEDED
        assert job.latest.train_loss
        assert {"status", "message", "metric"} <= {event.kind for event in shown}
        assert bridge.fetch(job, tmp_path / "out").path
        assert bridge.chat(job, "Say one.").text == "one"
    with Bridge() as later:
        assert later.refresh() == [job]
    assert (home / "ledger.sqlite").exists() is (database == "a file")


def test_two_recoveries_at_once_adopt_the_job_that_a_lost_answer_made(
    database: str, cli: Cli, rows: Path, home: Path, ftbridge_mock: MockVendors
) -> None:
    ftbridge_mock["openai"].faults.add("create_job=500-after")
    ftbridge_mock["openai"].faults.add("list_jobs=500x6")
    assert cli("submit", rows, "--to", TARGET).code == 3
    recover_twice_at_once()
    assert created(ftbridge_mock) == 1
    [record] = Ledger(home).jobs()
    assert record.job.remote_id
    assert [event.kind for _number, event in Ledger(home).events(record.job.id)].count("status") == 1


def test_two_recoveries_at_once_make_the_job_that_was_never_asked_for_once(
    database: str, cli: Cli, rows: Path, home: Path, ftbridge_mock: MockVendors
) -> None:
    ftbridge_mock["openai"].faults.add("upload_file=slow:30")
    command = [sys.executable, "-m", "ftbridge", "submit", str(rows), "--to", TARGET]
    submitting = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ledger, deadline = Ledger(home), time.monotonic() + 60
    while not ledger.jobs() and time.monotonic() < deadline:
        time.sleep(0.05)
    submitting.kill()
    submitting.wait(60)
    ftbridge_mock["openai"].faults.clear()
    recover_twice_at_once()
    assert created(ftbridge_mock) == 1
    [record] = Ledger(home).jobs()
    assert record.job.remote_id
