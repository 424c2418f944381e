"""Whatever kills a sweep, and whenever, and however many run it at once: each trial is bought once and scored once."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import openai
from every_case import EVERY_CASE, only_with_every_case
from ftbridge import Bridge
from ftbridge.mock.vendors import MockVendors
from hosted_helpers import asked
from small_data import write_rows

TARGET = "openai:gpt-4.1-mini-2025-04-14"
SEEDS = ["1", "2", "3", "4"]
ROWS = 12
CHATS = [
    {"messages": [{"role": "user", "content": f"Say {n}."}, {"role": "assistant", "content": f"{n}"}]}
    for n in range(ROWS)
]
KILLS = [("create_job", 3), ("create_job", 1), ("chat", 20)]
COMMAND = [sys.executable, str(Path(__file__).parent / "hasty_command.py")]


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """The words of the command that begins the sweep, and goes on with it."""
    rows = str(write_rows(tmp_path / "work" / "chats.jsonl", CHATS))
    options = f"--to {TARGET} --validation {rows} --epochs 1 --seed {','.join(SEEDS)} --name s --json"
    return ["sweep", rows, *options.split()]


def begin(words: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end(process: subprocess.Popen[str]) -> Any:
    """The document that it prints."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    return json.loads(out)


def wait_until_asked(vendors: MockVendors, operation: str, times: int) -> None:
    """Return as soon as the vendor has carried out an operation so often."""
    deadline = time.monotonic() + 60
    while asked(vendors["openai"], operation) < times:
        assert time.monotonic() < deadline
        time.sleep(0.002)


def listed() -> list[str]:
    """The seeds of the jobs that the vendor itself lists, each bought with a tag of its own."""
    with openai.OpenAI() as client:
        jobs = list(client.fine_tuning.jobs.list())
    assert len({(job.metadata or {})["ftbridge"] for job in jobs}) == len(jobs)
    return sorted(str(job.seed) for job in jobs)


@pytest.mark.parametrize(("operation", "times"), KILLS if EVERY_CASE else KILLS[:1])
def test_killed_it_goes_on_where_it_was(
    words: list[str], ftbridge_mock: MockVendors, operation: str, times: int
) -> None:
    killed = begin(words)
    wait_until_asked(ftbridge_mock, operation, times)
    killed.kill()
    killed.communicate()
    document = end(begin(words))
    assert [trial["outcome"] for trial in document["trials"]] == ["succeeded"] * len(SEEDS)
    assert all(trial["score"] for trial in document["trials"])
    assert listed() == SEEDS
    # what was answered to a trial that was not scored to its end is asked again
    assert asked(ftbridge_mock["openai"], "chat") <= (len(SEEDS) + 1) * ROWS


@only_with_every_case
def test_killed_again_and_again_it_stays_within_its_budget(words: list[str], ftbridge_mock: MockVendors) -> None:
    with Bridge() as bridge:
        given: dict[str, Any] = {"validation": words[1], "epochs": 1, "seed": SEEDS}
        one = bridge.sweep(words[1], TARGET, dry_run=True, **given).trials[0].estimate_usd_high or 0.0
    words = [*words, "--max-cost", str(2.5 * one), "--no-evaluate"]
    for times in (1, 2):
        killed = begin(words)
        wait_until_asked(ftbridge_mock, "create_job", times)
        killed.kill()
        killed.communicate()
    document = end(begin(words))
    assert document["usd"] <= 2.5 * one
    assert len(listed()) == sum(trial["job"] is not None for trial in document["trials"])


def test_two_processes_with_the_same_sweep_end_with_the_same_table(
    words: list[str], ftbridge_mock: MockVendors
) -> None:
    first, second = begin(words), begin(words)
    documents = [end(first), end(second)]
    assert documents[0] == documents[1]
    assert listed() == SEEDS
    assert asked(ftbridge_mock["openai"], "chat") == len(SEEDS) * ROWS
