"""Whatever dies or breaks on the way, the job runs once and gives the same adapter.

A command submits, waits and fetches. It is run again after each end that is not a success, as a user does.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from every_case import EVERY_CASE
from ftbridge_local.job_folder import JobFolder
from runners.broken_ssh import BrokenSsh
from runners.killed_command import Client, Strike, fetch_in_the_end, times_begun
from runners.same_job import ADAPTER, write_rows_of_job
from runners.ssh_server import HOST, SshServer


class Case(NamedTuple):
    """What goes wrong: at the next call of a verb, or to a process while the job has a status."""

    what: str
    when: str
    detail: str = "1"


CALLS = [
    Case(kind, verb)
    for verb in ("start", "report", "read", "pull")
    for kind in ("cut", "cut-after", "cut-midway", "kill-before", "kill-after", "kill-meanwhile")
] + [
    *(Case("cut-upload", "start", size) for size in ("0", "1", "5000", "20000")),
    *(Case(kind, "start") for kind in ("html", "invalid-json", "truncate")),
    *(Case(kind, "report") for kind in ("html", "invalid-json", "truncate")),
]
PROCESSES = [
    Case(what, status) for what in ("worker", "client", "server", "connection") for status in ("validating", "running")
]
CASES = [*CALLS, *PROCESSES]
FEW = [Case("cut-after", "start"), Case("kill-meanwhile", "start"), *random.Random(12).sample(CASES, 1)]


def test_there_are_enough_cases() -> None:
    assert len({*CASES}) == len(CASES) >= 40


@pytest.fixture
def machine(ssh_server: SshServer, tmp_path: Path) -> Iterator[Path]:
    """A machine's folder of its own, with the tiny base; no connection is shared with other tests."""
    shutil.copytree(ssh_server.machine / "local" / "bases", tmp_path / "machine" / "local" / "bases")
    yield tmp_path / "machine"
    ssh_server.disconnect()


@pytest.mark.parametrize("case", CASES if EVERY_CASE else FEW, ids=lambda case: "-".join(case))
def test_the_job_runs_once(
    case: Case, ssh_server: SshServer, machine: Path, home: Path, tmp_path: Path, adapter: bytes
) -> None:
    ssh = BrokenSsh(tmp_path / "bin")
    home.mkdir(mode=0o700)
    table = {**ssh_server.table, "folder": str(machine)}
    lines = [f"{name} = {json.dumps(value)}" for name, value in table.items()]
    (home / "ftbridge.toml").write_text("\n".join([f"[runners.{HOST}]", *lines]))
    rows, out = write_rows_of_job(tmp_path / "rows.jsonl"), tmp_path / "out"
    if case in CALLS:
        ssh.plan(case.when, case.what, case.detail)
    strike = None if case in CALLS else _striker(case, ssh_server, machine)

    fetch_in_the_end(f"ssh:{HOST}/tiny", rows, out, strike, {"PATH": ssh.path})
    assert not ssh.is_planned
    assert times_begun(machine / "local" / "jobs") == (2 if case.what == "worker" else 1)
    assert (out / ADAPTER).read_bytes() == adapter
    assert list((home / "runners" / "ssh" / "files").iterdir()) == [], "the copies of the rows go when the job is over"


def _striker(case: Case, server: SshServer, machine: Path) -> Strike:
    """Once the job has the status."""

    def strike(client: Client) -> bool:
        jobs = [JobFolder(path) for path in (machine / "local" / "jobs").glob("ftb_*")]
        if not (jobs and jobs[0].exists and jobs[0].state().status == case.when and jobs[0].alive):
            return False
        if case.what == "worker" and (pid := jobs[0].worker_pid):
            os.kill(pid, signal.SIGKILL)
        elif case.what == "client":
            client.kill()
        elif case.what == "connection":
            server.disconnect()
        elif case.what == "server":
            server.stop()
            server.disconnect()
            time.sleep(1)
            server.start()
        return True

    return strike
