"""Whatever dies, and whenever: the vendor ends up with one job, and the ledger knows it.

A case is one submission, in a process of its own, at a vendor where one thing goes wrong; SIGKILL ends the process
from outside at one step, or SIGSTOP halts it, and then two processes recover at once. The steps are not listed here:
they are the points that an undisturbed submission with the same fault was seen to pass. With FTBRIDGE_EVERY_CASE=1
also those are played that differ from another one in nothing.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, get_args

import pytest

from faults.harbour import Harbour, HostedHarbour, LocalHarbour
from ftbridge.mock.faults import CONDITIONS, Kind

EVERY = "FTBRIDGE_EVERY_CASE"
FAULTS = ["none", *(kind for kind in get_args(Kind) if kind not in CONDITIONS or kind == "lag")]
"""Every fault of the mock that concerns the request which makes a job, or the listing in which it is looked for."""
REFUSALS = ["redirect", "quota", *(kind for kind in FAULTS if kind.isdigit() and kind not in ("429", "500"))]
"""The vendor says that it has made nothing and never will."""
LOST = [kind for kind in FAULTS if kind.endswith("-after") and kind not in ("500-after", "cut-after")]
"""The vendor has made the job, and answers as if it had not: the words differ, and one of them stands for all."""
FEWER = ["none", "500-after", "lag"]
"""For vendors that speak another's API, and read its errors as that does."""
QUICK = {"429": "429:0.05", "slow": "slow:0.1"}
CREATES = {
    "openai": "POST /v1/fine_tuning/jobs",
    "together": "POST /v1/fine-tunes",
    "mistral": "POST /v1/fine_tuning/jobs",
    "azure": "POST /openai/v1/fine_tuning/jobs",
    "nebius": "POST /v1/fine_tuning/jobs",
}
ON_ITS_WAY = ", late"
"""A request that reaches the vendor only when its sender is dead and recoveries have looked for it in vain."""


class Row(NamedTuple):
    """One line of the table; `entries` is how many jobs the ledger has, those that were refused among them."""

    vendor: str
    how: str
    step: str
    fault: str
    rounds: int
    jobs: int
    known: bool
    entries: int

    @property
    def good(self) -> bool:
        return self.jobs == 1 and self.known and (self.entries == 1 or self.fault in REFUSALS)

    def __str__(self) -> str:
        verdict = "one job" if self.good else f"WRONG: {self.jobs} jobs, known: {self.known}, entries: {self.entries}"
        return f"{self.vendor:9}{self.how:8}{self.step:50}{self.fault:13}recovered {self.rounds}x  {verdict}"


def kill(harbour: Harbour, step: str) -> None:
    """The submitter dies at `step`."""
    late = step.endswith(ON_ITS_WAY)
    harbour.submit_until(step.removesuffix(ON_ITS_WAY)).kill()
    if late:
        harbour.race(window=60.0)
        assert harbour.remote_jobs() == []
    harbour.gate.open(drop=not late)
    if late:
        harbour.wait_for_the_job()


def stop(harbour: Harbour, step: str) -> None:
    """The submitter is halted at `step` while others recover, and then goes on."""
    hand = harbour.submit_until(step)
    hand.send(signal.SIGSTOP)
    harbour.race()
    hand.send(signal.SIGCONT)
    if harbour.gate.reached.is_set():
        harbour.gate.open(drop=False)
    else:
        hand.go_on()
    hand.end()
    hand.dismiss()


def settled(harbour: Harbour, how: str, step: str, fault: str) -> Row:
    """The line of the table, once the job is at the vendor."""
    rounds, made, jobs = harbour.settle(), harbour.remote_jobs(), harbour.jobs()
    known = [job.remote_id for job in jobs if job.remote_id] == made
    return Row(harbour.vendor, how, step, fault, rounds, len(made), known, len(jobs))


def play(harbour: Harbour, fault: str) -> Iterator[Row]:
    """All cases of one fault."""
    rule = QUICK.get(fault, fault)
    harbour.begin(rule)
    steps = harbour.trace()
    yield settled(harbour, "lives", "", fault)
    for step in killable(harbour.vendor, steps, fault):
        harbour.begin(rule)
        kill(harbour, step)
        yield settled(harbour, "killed", step, fault)
    for step in stoppable(steps) if fault == "none" else []:
        harbour.begin(rule)
        stop(harbour, step)
        yield settled(harbour, "stopped", step, fault)


def killable(vendor: str, steps: list[str], fault: str) -> list[str]:
    """The steps at which the submitter is killed under a fault.

    A fault at the request that makes the job strikes the recovery, where the submitter dies before: for that, the
    last of the steps before stands for all. An answer that nobody waits for any more is the same whatever it says.
    Refusals that strike a recovery differ in their words alone, so one of them stands for all.
    """
    if vendor not in CREATES:
        return steps
    create = CREATES[vendor]
    if fault == "none":
        return [*steps, f"{create} arrives{ON_ITS_WAY}"]
    if os.environ.get(EVERY) == "1":
        return steps
    if (fault in REFUSALS and fault != REFUSALS[0]) or (fault in LOST and fault != LOST[0]):
        return []
    return [step for step in steps[steps.index(f"{create} arrives") :] if step != f"{create} is carried out"]


def stoppable(steps: list[str]) -> list[str]:
    """Not in the ledger: a process that is halted within a transaction, or while it makes the file, is waited for."""
    return [step for step in steps if not step.endswith("committed") and not step.startswith("ledger")]


def played(harbour: Harbour, faults: list[str]) -> list[Row]:
    """The table, which `pytest -s` shows line by line."""
    table = []
    with harbour.manned():
        for fault in faults:
            for row in play(harbour, fault):
                table.append(row)
                print(f"{len(table):4} {row}", flush=True)  # noqa: T201 - whoever runs with -s wants to see it
    return table


@pytest.mark.timeout(900)
@pytest.mark.parametrize("vendor", ["openai", "together", "mistral"])
def test_whatever_dies_when_the_vendor_has_one_job(tmp_path: Path, vendor: str) -> None:
    table = played(HostedHarbour(vendor, tmp_path), FAULTS)
    assert [str(row) for row in table if not row.good] == []
    assert len(table) >= 60
    assert {row.fault for row in table} == set(FAULTS)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("vendor", ["azure", "nebius"])
def test_whatever_dies_when_a_vendor_that_speaks_openais_api_has_one_job(tmp_path: Path, vendor: str) -> None:
    table = played(HostedHarbour(vendor, tmp_path), FAULTS if os.environ.get(EVERY) == "1" else FEWER)
    assert [str(row) for row in table if not row.good] == []
    assert len(table) >= 25
    assert {row.fault for row in table} >= set(FEWER)


@pytest.mark.timeout(900)
def test_whatever_dies_when_one_worker_begins_on_this_machine(tmp_path: Path, tiny_home: Path) -> None:
    table = played(LocalHarbour(tmp_path, tiny_home), ["none"])
    assert [str(row) for row in table if not row.good] == []
    assert len(table) >= 15


def test_two_submissions_of_one_file_at_once_are_two_jobs_and_one_file(tmp_path: Path) -> None:
    harbour = HostedHarbour("openai", tmp_path)
    with harbour.manned():
        harbour.begin()
        first = harbour.submit_until("POST /v1/files is carried out")
        harbour.rivals[0].give(replace(harbour.submission(), key="another"))
        assert harbour.rivals[0].end() in ("validating", "queued", "running", "succeeded")
        harbour.gate.open(drop=False)
        assert first.end() in ("validating", "queued", "running", "succeeded")
        first.dismiss()
        assert len(harbour.remote_jobs()) == len(harbour.jobs()) == 2
        assert len(list(harbour.mock.store.all("files", dict))) == 1
