"""What Ray's nodes run: the command of each job that `runners.ray` submits.

`python -P -m ftbridge_local.runners.ray_node VERB TAG FOLDER [WORD]`, where FOLDER is one that all nodes see, or "" for
one in the log folder of Ray's session on this node. Jobs, base models and tokenized data are below it. Ray gives out
the files below its log folder, and below links that lead from there, but takes none: so each request to a running job
is a small job of its own, on the same node.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from ftbridge.errors import Conflict, NotFound
from ftbridge.files import PRIVATE_FOLDER, make_folder
from ftbridge.model import Status
from ftbridge_local.command import TRAIN
from ftbridge_local.job_folder import JobFolder
from ftbridge_local.runners.process import ProcessRunner

PLACED = "placed"
"""The word after `start` where the job folder is in place already, in the shared folder."""
STILL_RUNS, NOT_OVER, NOT_THERE = 3, 4, 5
"""Exit codes of verbs that could not do what they were asked."""
_LOCK_SECONDS = 30.0  # which the worker of a node that Ray has just given up may take to end


def linked_name(folder: str) -> str:
    """The name in the log folder under which the jobs are found."""
    return f"ftbridge-{hashlib.sha256(folder.encode()).hexdigest()[:8]}" if folder else "ftbridge"


def main(verb: str, tag: str, folder: str, *words: str) -> int:
    """Do what is asked; the exit code."""
    home = _home(folder)
    os.environ["FTBRIDGE_HOME"] = str(home)
    runner = ProcessRunner(home, TRAIN)
    job = runner.folder(tag)
    if verb in ("start", "resume"):
        return _work(job, is_new=verb == "start", is_placed=PLACED in words)
    make_folder(job.path)  # Ray has begun the worker, which may still be about to
    if verb == "ask":
        _ask(job)
    elif verb == "end" and not runner.end(tag):
        return STILL_RUNS
    elif verb == "delete":
        return _delete(runner, f"{home}{words[0]}")
    return 0


def _home(folder: str) -> Path:
    """The folder of jobs; Ray's log folder is where this process writes its output to."""
    link = Path("/proc/self/fd/1").readlink().parent / linked_name(folder)
    home = Path(folder) if folder else link
    make_folder(home)
    if folder:
        with suppress(FileExistsError):
            link.symlink_to(folder)
    return home


def _work(job: JobFolder, *, is_new: bool, is_placed: bool) -> int:
    """Be the job's worker."""
    lock = job.lock(_LOCK_SECONDS)
    if lock is None:
        print(f"{job.path} has a worker already", file=sys.stderr)  # noqa: T201 - that is Ray's log of the job
        return 1
    if is_new and not job.exists:
        if not is_placed:
            shutil.copytree(Path.cwd(), job.path, dirs_exist_ok=True)  # Ray has unpacked the job folder there
        job.spec()  # before there is a state: raises where this node does not see the shared folder
        job.reset(lock)
    elif not is_new and job.state().status not in (Status.SUCCEEDED, Status.CANCELLED):
        job.reset(lock)
    command: Any = import_module(f"{TRAIN.module}.__main__")
    code: int = command.main(str(job.path), str(lock))
    return code


def _ask(job: JobFolder) -> None:
    """Have the worker pause, once it has begun: it removes older requests then."""
    deadline = time.monotonic() + _LOCK_SECONDS
    while not (job.alive and job.state().status in (Status.VALIDATING, Status.RUNNING)):
        if time.monotonic() > deadline:
            return
        time.sleep(0.1)
    job.ask("pause")


def _delete(runner: ProcessRunner, path: str) -> int:
    from ftbridge.provider import Artifact  # imported here: the other verbs start sooner without it

    try:
        runner.delete(Artifact(kind="file", name=path))
    except NotFound:
        return NOT_THERE
    except Conflict:
        return NOT_OVER
    return 0


if __name__ == "__main__":
    os.umask(0o777 - PRIVATE_FOLDER)
    sys.exit(main(*sys.argv[1:]))
