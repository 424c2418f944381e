"""Whatever dies, and whenever: the vendor ends up with one job, and the ledger knows it.

A case is one submission, in a process of its own, at a vendor where one thing goes wrong; SIGKILL ends the process
from outside at one step, or SIGSTOP halts it, and then two processes recover at once. The steps are not listed here:
they are the points that an undisturbed submission with the same fault was seen to pass. With FTBRIDGE_EVERY_CASE=1
also those are played that differ from another one in nothing.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, get_args

import pytest

from every_case import EVERY_CASE
from faults.case_setup import CaseSetup, HostedSetup, LocalSetup
from ftbridge.mock.faults import CONDITIONS, Kind

LIMIT = 3600 if EVERY_CASE else 900  # seconds, also on a busy machine
FAULTS = ["none", *(kind for kind in get_args(Kind) if kind not in CONDITIONS or kind == "lag")]
"""Every fault of the mock that concerns the request which makes a job, or the listing in which it is looked for."""
REFUSALS = ["redirect", "quota", *(kind for kind in FAULTS if kind.isdigit() and kind not in ("429", "500"))]
"""The vendor says that it has made nothing and never will."""
LOST = [kind for kind in FAULTS if kind.endswith("-after") and kind not in ("500-after", "cut-after")]
"""The vendor has made the job, and answers as if it had not: the words differ, and one of them stands for all."""
FULL = ["openai", "together", "mistral"]
"""Every fault is tried at each of them with FTBRIDGE_EVERY_CASE=1, and at one of them without."""
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


def kill(setup: CaseSetup, step: str) -> None:
    """The submitter dies at `step`."""
    late = step.endswith(ON_ITS_WAY)
    setup.submit_until(step.removesuffix(ON_ITS_WAY)).kill()
    if late:
        setup.race(window=60.0)
        assert setup.remote_jobs() == []
    setup.gate.open(drop=not late)
    if late:
        setup.wait_for_the_job()


def stop(setup: CaseSetup, step: str) -> None:
    """The submitter is halted at `step` while others recover, and then goes on."""
    process = setup.submit_until(step)
    process.send(signal.SIGSTOP)
    setup.race()
    process.send(signal.SIGCONT)
    if setup.gate.reached.is_set():
        setup.gate.open(drop=False)
    else:
        process.go_on()
    process.end()
    process.dismiss()


def settled(setup: CaseSetup, how: str, step: str, fault: str) -> Row:
    """The line of the table, once the job is at the vendor."""
    rounds, made, jobs = setup.settle(), setup.remote_jobs(), setup.jobs()
    known = [job.remote_id for job in jobs if job.remote_id] == made
    return Row(setup.vendor, how, step, fault, rounds, len(made), known, len(jobs))


def play(setup: CaseSetup, fault: str) -> Iterator[Row]:
    """All cases of one fault."""
    rule = QUICK.get(fault, fault)
    setup.begin(rule)
    steps = setup.trace()
    yield settled(setup, "lives", "", fault)
    for step in killable(setup.vendor, steps, fault):
        setup.begin(rule)
        kill(setup, step)
        yield settled(setup, "killed", step, fault)
    for step in stoppable(steps) if fault == "none" else []:
        setup.begin(rule)
        stop(setup, step)
        yield settled(setup, "stopped", step, fault)


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
    if EVERY_CASE:
        return steps
    if (fault in REFUSALS and fault != REFUSALS[0]) or (fault in LOST and fault != LOST[0]):
        return []
    return [step for step in steps[steps.index(f"{create} arrives") :] if step != f"{create} is carried out"]


def stoppable(steps: list[str]) -> list[str]:
    """Not in the ledger: a process that is halted within a transaction, or while it makes the file, is waited for."""
    return [step for step in steps if not step.endswith("committed") and not step.startswith("ledger")]


def played(setup: CaseSetup, faults: list[str]) -> list[Row]:
    """The table, which `pytest -s` shows line by line."""
    table = []
    with setup.started():
        for fault in faults:
            for row in play(setup, fault):
                table.append(row)
                print(f"{len(table):4} {row}", flush=True)  # noqa: T201 - whoever runs with -s wants to see it
    return table


@pytest.mark.timeout(LIMIT)
@pytest.mark.parametrize("vendor", FULL)
def test_whatever_dies_when_the_vendor_has_one_job(tmp_path: Path, vendor: str) -> None:
    faults = FAULTS if EVERY_CASE else ["none", *FAULTS[1 + FULL.index(vendor) :: len(FULL)]]
    table = played(HostedSetup(vendor, tmp_path), faults)
    assert [str(row) for row in table if not row.good] == []
    assert len(table) >= (60 if EVERY_CASE else 20)
    assert {row.fault for row in table} == set(faults)


@pytest.mark.timeout(LIMIT)
@pytest.mark.parametrize("vendor", ["azure", "nebius"])
def test_whatever_dies_when_a_vendor_that_speaks_openais_api_has_one_job(tmp_path: Path, vendor: str) -> None:
    table = played(HostedSetup(vendor, tmp_path), FAULTS if EVERY_CASE else FEWER)
    assert [str(row) for row in table if not row.good] == []
    assert len(table) >= 25
    assert {row.fault for row in table} >= set(FEWER)


@pytest.mark.timeout(LIMIT)
def test_whatever_dies_when_one_worker_begins_on_this_machine(tmp_path: Path, tiny_home: Path) -> None:
    table = played(LocalSetup(tmp_path, tiny_home), ["none"])
    assert [str(row) for row in table if not row.good] == []
    assert len(table) >= 15


def test_two_submissions_of_one_file_at_once_are_two_jobs_and_one_file(tmp_path: Path) -> None:
    setup = HostedSetup("openai", tmp_path)
    with setup.started():
        setup.begin()
        first = setup.submit_until("POST /v1/files is carried out")
        setup.rivals[0].give(replace(setup.submission(), key="another"))
        assert setup.rivals[0].end() in ("validating", "queued", "running", "succeeded")
        setup.gate.open(drop=False)
        assert first.end() in ("validating", "queued", "running", "succeeded")
        first.dismiss()
        assert len(setup.remote_jobs()) == len(setup.jobs()) == 2
        assert len(list(setup.mock.store.all("files", dict))) == 1
