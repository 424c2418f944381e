"""Whatever dies or breaks on the way to Ray, the job runs once and gives the same adapter.

A command submits, waits and fetches. It is run again after each end that is not a success, as a user does.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from every_case import EVERY_CASE
from ftbridge.loopback import LoopbackServer
from ftbridge_local.job_folder import JobFolder
from runners.killed_command import Client, Strike, fetch_in_the_end, times_begun
from runners.ray_stub import TOKEN, RayStub
from runners.same_job import ADAPTER, write_rows_of_job


class Case(NamedTuple):
    """What goes wrong: with an answer, or with the client after a request, or with a process at a status."""

    what: str
    when: str


_OPERATIONS = ("list_jobs", "create_job", "has_package", "put_package", "log_file", "list_logs")
ANSWERS = [
    *(Case(kind, when) for when in _OPERATIONS for kind in ("cut", "cut-after", "cut-midway", "500", "500-after")),
    *(Case(kind, "create_job") for kind in ("html", "truncate", "invalid-json", "503", "409-after", "429-after")),
    *(Case(kind, "list_jobs") for kind in ("html", "truncate", "429")),
]
REQUESTS = [Case("client", when) for when in _OPERATIONS]
PROCESSES = [Case(what, when) for what in ("client", "worker") for when in ("validating", "running")]
CASES = [*ANSWERS, *REQUESTS, *PROCESSES]
FEW = [Case("500-after", "create_job"), Case("client", "create_job"), Case("worker", "running")]


def test_there_are_enough_cases() -> None:
    assert len({*CASES}) == len(CASES) >= 40


@pytest.fixture
def stub(tmp_path: Path, tiny_home: Path) -> Iterator[RayStub]:
    """A head whose node has the tiny base."""
    stub = RayStub(tmp_path / "ray")
    shutil.copytree(tiny_home / "local" / "bases", stub.logs / "ftbridge" / "local" / "bases")
    yield stub
    stub.close()


@pytest.mark.parametrize("case", CASES if EVERY_CASE else FEW, ids=lambda case: "-".join(case))
def test_the_job_runs_once(case: Case, stub: RayStub, home: Path, tmp_path: Path, adapter: bytes) -> None:
    home.mkdir(mode=0o700)
    rows, out = write_rows_of_job(tmp_path / "rows.jsonl"), tmp_path / "out"
    if case in ANSWERS:
        stub.faults.add(f"{case.when}={case.what}:0.1")
    strike = None if case in ANSWERS else _striker(case, stub)

    with LoopbackServer(stub.app()) as server:
        table = {"kind": "ray", "address": server.url, "python": sys.executable}
        lines = [f"{name} = {json.dumps(value)}" for name, value in table.items()]
        (home / "ftbridge.toml").write_text("\n".join(["[runners.cluster]", *lines]))
        fetch_in_the_end("ray:cluster/tiny", rows, out, strike, {"RAY_AUTH_TOKEN": TOKEN})
    assert not stub.faults.left()
    assert times_begun(stub.logs / "ftbridge" / "local" / "jobs") == (2 if case.what == "worker" else 1)
    assert sum(job["metadata"]["ftbridge_verb"] == "start" for job in stub.jobs.values()) == 1
    assert (out / ADAPTER).read_bytes() == adapter


def _striker(case: Case, stub: RayStub) -> Strike:
    """Once the head has got the request, or the job has the status."""

    def strike(client: Client) -> bool:
        jobs = [JobFolder(path) for path in (stub.logs / "ftbridge" / "local" / "jobs").glob("ftb_*")]
        if case in REQUESTS:
            is_time = any(seen.operation == case.when for seen in stub.seen)
        else:
            is_time = bool(jobs and jobs[0].exists and jobs[0].state().status == case.when and jobs[0].alive)
        if is_time and case.what == "client":
            client.kill()
        elif is_time and (pid := jobs[0].worker_pid):
            os.kill(pid, signal.SIGKILL)
        return is_time

    return strike
