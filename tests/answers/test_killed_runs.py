"""`evaluate` against a vendor that limits and fails, killed in the middle: what is stored is not asked again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from every_case import EVERY_CASE
from ftbridge import Bridge
from ftbridge.ledger import count_answers
from ftbridge.mock.vendors import MockVendors
from hosted_helpers import sent
from small_data import write_rows

ROWS = 2_000 if EVERY_CASE else 200
TARGET = "openai:gpt-4.1-mini-2025-04-14"


@pytest.fixture
def job(bridge: Bridge, vendors: MockVendors, data: Path) -> str:
    return bridge.wait(bridge.submit(data, TARGET)).id


@pytest.fixture
def held_out(tmp_path: Path) -> Path:
    rows = [
        {"messages": [{"role": "user", "content": f"new {n}"}, {"role": "assistant", "content": f"a{n}"}]}
        for n in range(ROWS)
    ]
    return write_rows(tmp_path / "held.jsonl", rows)


def start(job: str, held_out: Path) -> subprocess.Popen[bytes]:
    """`ftbridge evaluate`, in a process of its own."""
    words = [sys.executable, "-m", "ftbridge", "evaluate", job, str(held_out), "--json"]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def questions(vendors: MockVendors) -> Counter[str]:
    """How often each question was answered by the vendor."""
    return Counter(body["messages"][-1]["content"] for body in sent(vendors["openai"], "chat"))


def stored(bridge: Bridge) -> int:
    return sum(count_answers(bridge.ledger).values())


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


def test_a_killed_run_goes_on_where_it_was(job: str, held_out: Path, bridge: Bridge, vendors: MockVendors) -> None:
    vendor = vendors["openai"]
    vendor.faults.add(f"chat=429:0.01x{ROWS // 20}")
    first = start(job, held_out)
    wait_until(lambda: stored(bridge) > ROWS // 4)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    kept = stored(bridge)
    assert ROWS // 4 < kept < ROWS
    answered = questions(vendors).total()
    assert answered - kept <= 8, "those under way when the process died"

    vendor.faults.add("chat=500x4")
    [told] = bridge.evaluate(job, held_out).answers
    assert (told.questions, told.from_ledger, told.failed) == (ROWS, kept, 0)
    times = questions(vendors)
    assert len(times) == ROWS
    assert times.total() - answered == ROWS - kept, "what was told is what was asked"
    assert sum(count - 1 for count in times.values()) == answered - kept, "only what was not stored was asked twice"

    [again] = bridge.evaluate(job, held_out).answers
    assert again.from_ledger == ROWS
    assert questions(vendors) == times
    assert vendor.faults.left() == 0


def test_two_runs_at_once_give_the_same_and_ask_nothing_more_than_twice(
    job: str, held_out: Path, bridge: Bridge, vendors: MockVendors
) -> None:
    runs = [start(job, held_out), start(job, held_out)]
    told = [run.communicate(timeout=300) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], told
    first, second = (json.loads(out)["tuned"] for out, _err in told)
    assert first == second
    assert stored(bridge) == len(questions(vendors)) == ROWS
    assert max(questions(vendors).values()) <= 2
