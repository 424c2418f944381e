"""A command that submits, waits and fetches, run as a user does: again after each end that is not a success."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from ftbridge.model import Status
from ftbridge_local.job_folder import JobFolder

_COMMAND = """
import sys
from ftbridge import Bridge
from ftbridge.errors import FtbridgeError
with Bridge(warn=lambda warning: None) as bridge:
    try:
        job = bridge.submit(sys.argv[1], to=sys.argv[3], epochs=1, seed=5)
        job = bridge.wait(job)
        if job.status == "failed":
            bridge.resume(job)
            job = bridge.wait(job)
        bridge.fetch(job, sys.argv[2])
    except FtbridgeError as problem:
        sys.exit(f"{type(problem).__name__}: {problem}")
"""
_RUNS = 6
Client: TypeAlias = subprocess.Popen[str]
Strike: TypeAlias = Callable[[Client], bool]
"""Strikes once it is time to, and says whether it did."""


def fetch_in_the_end(target: str, rows: Path, out: Path, strike: Strike | None, environment: Mapping[str, str]) -> None:
    """Run the command until it succeeds, six times at most; the one strike has then been made."""
    ends = []
    for _run in range(_RUNS):
        shutil.rmtree(out, ignore_errors=True)
        command = [sys.executable, "-c", _COMMAND, str(rows), str(out), target]
        with subprocess.Popen(command, env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True) as client:
            while strike and client.poll() is None:
                strike = None if strike(client) else strike
                time.sleep(0.01)
            ends.append((client.wait(), client.stderr.read() if client.stderr else ""))
        if ends[-1][0] == 0:
            break
    assert ends[-1][0] == 0, ends
    assert strike is None


def times_begun(jobs: Path) -> int:
    """How often a worker has begun the one job below that folder."""
    [folder] = jobs.iterdir()
    return sum(event.status is Status.VALIDATING for event in JobFolder(folder).events())
