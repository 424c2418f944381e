"""Copies of training data go by themselves when no job needs them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ftbridge import Bridge
from ftbridge.errors import FtbridgeError
from ftbridge.jobs.request.kept_data import keeping, remove_unneeded
from ftbridge.model import Status

MOCKED = "mock+openai:gpt-4.1-mini-2025-04-14"


def prepared(bridge: Bridge) -> list[str]:
    return sorted(file.name for file in (bridge.home / "prepared").glob("*"))


def test_the_converted_file_goes_with_the_end_of_the_last_job_that_needs_it(
    bridge: Bridge, rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTBRIDGE_MOCK_FAULTS", "create_job=stall:60")
    first, second = (bridge.submit(rows, MOCKED, seed=seed) for seed in (1, 2))
    assert len(prepared(bridge)) == 1
    bridge.cancel(first)
    assert len(prepared(bridge)) == 1
    assert bridge.cancel(second).status is Status.CANCELLED
    assert prepared(bridge) == []


def test_a_request_that_is_refused_or_made_again_leaves_nothing(bridge: Bridge, rows: Path) -> None:
    with pytest.raises(FtbridgeError, match="max-cost"):
        bridge.submit(rows, MOCKED, max_cost=0.0)
    assert prepared(bridge) == []
    job = bridge.wait(bridge.submit(rows, MOCKED))
    assert job.status is Status.SUCCEEDED
    assert bridge.submit(rows, MOCKED).id == job.id
    assert prepared(bridge) == []


def test_a_refused_request_keeps_its_file_until_it_is_known_that_there_is_no_job(bridge: Bridge, rows: Path) -> None:
    with pytest.raises(FtbridgeError):
        bridge.submit(rows, "mock+openai:gpt-9-ultra")
    assert len(prepared(bridge)) == 1
    time.sleep(0.3)  # by then the vendor's listing would show it
    bridge.recover()
    remove_unneeded(bridge.home, bridge.ledger)
    assert prepared(bridge) == []


def test_nothing_is_removed_while_a_dataset_is_converted(bridge: Bridge) -> None:
    file = bridge.home / "prepared" / "0123.jsonl"
    with keeping(bridge.home):
        file.parent.mkdir()
        file.write_text("just converted", "utf-8")
        remove_unneeded(bridge.home, bridge.ledger)
        assert file.exists()
    remove_unneeded(bridge.home, bridge.ledger)
    assert not file.exists()
