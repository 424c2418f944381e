"""Whatever dies or breaks on the way to Ray, the job runs once and gives the same adapter.

A command submits, waits and fetches. It is run again after each end that is not a success, as a user does.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from every_case import EVERY_CASE
from ftbridge.loopback import LoopbackServer
from ftbridge.model import Status
from ftbridge_local.job_folder import JobFolder
from runners.ray_stub import TOKEN, RayStub
from runners.same_job import ADAPTER, write_rows_of_job

_COMMAND = """
import sys
from ftbridge import Bridge
from ftbridge.errors import FtbridgeError
with Bridge(warn=lambda warning: None) as bridge:
    try:
        job = bridge.submit(sys.argv[1], to="ray:cluster/tiny", epochs=1, seed=5)
        job = bridge.wait(job)
        if job.status == "failed":
            bridge.resume(job)
            job = bridge.wait(job)
        bridge.fetch(job, sys.argv[2])
    except FtbridgeError as problem:
        sys.exit(f"{type(problem).__name__}: {problem}")
"""
_RUNS = 6


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

    ends = []
    with LoopbackServer(stub.app()) as server:
        table = {"kind": "ray", "address": server.url, "python": sys.executable}
        lines = [f"{name} = {json.dumps(value)}" for name, value in table.items()]
        (home / "ftbridge.toml").write_text("\n".join(["[runners.cluster]", *lines]))
        for _run in range(_RUNS):
            shutil.rmtree(out, ignore_errors=True)
            command = [sys.executable, "-c", _COMMAND, str(rows), str(out)]
            environment = {**os.environ, "RAY_AUTH_TOKEN": TOKEN}
            with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as client:
                while strike and client.poll() is None:
                    strike = None if strike(client) else strike
                    time.sleep(0.01)
                ends.append((client.wait(), client.stderr.read() if client.stderr else ""))
            if ends[-1][0] == 0:
                break
    assert ends[-1][0] == 0, ends
    assert not stub.faults.left()
    assert strike is None
    [folder] = (stub.logs / "ftbridge" / "local" / "jobs").iterdir()
    began = [event for event in JobFolder(folder).events() if event.status is Status.VALIDATING]
    assert len(began) == (2 if case.what == "worker" else 1)
    assert sum(job["metadata"]["ftbridge_verb"] == "start" for job in stub.jobs.values()) == 1
    assert (out / ADAPTER).read_bytes() == adapter


def _striker(case: Case, stub: RayStub) -> Callable[[subprocess.Popen[str]], bool]:
    """A function that strikes once it is time to, and says whether it did."""

    def strike(client: subprocess.Popen[str]) -> bool:
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
