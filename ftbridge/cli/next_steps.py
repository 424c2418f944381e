"""`ftbridge` alone: three things to do next, by what is in the working folder and in the ledger.

It asks nobody, not even the server of a shared ledger, and makes no home folder.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ftbridge.cli.output import print_line, print_sentence
from ftbridge.errors import FtbridgeError, JobFailed
from ftbridge.home import LEDGER, home_path
from ftbridge.model import FINAL, Job, Status
from ftbridge.wording import clause, counted

if TYPE_CHECKING:
    from ftbridge.ledger import Ledger, Record

_SHOWN = 3
_READ = 200  # of the newest jobs: what is older is no next step
_TO_JUDGE_BY = ("held", "valid", "test", "eval", "dev")
_DATASETS = ("*.jsonl", "*.jsonl.gz", "*.jsonl.zst", "*.csv", "*.parquet")


class Step(NamedTuple):
    """A command, without `ftbridge` before it, and the sentence that says why."""

    why: str
    command: str


def print_next_steps() -> None:
    """Print three steps, the most urgent first."""
    for why, command in islice(_steps(), _SHOWN):
        print_sentence(f"{why}:")
        print_line(f"  ftbridge {command}", style="bold")
    print_sentence("\n`ftbridge --help` lists all commands, `ftbridge help` the topics.")


def _steps() -> Iterator[Step]:
    if on_server := bool(os.environ.get("FTBRIDGE_LEDGER")):
        yield Step("See the jobs of the ledger that you share", "jobs")
    try:
        records = [] if on_server else newest_records()
    except FtbridgeError as problem:
        yield Step(f"The ledger cannot be used ({clause(problem.message)}). See what is wrong", "doctor")
        records = []
    yield from _for_jobs(records)
    yield from _for_folder(Path.cwd(), first=not records and not on_server)


def newest_records() -> list[Record]:
    """The newest jobs in this home, the newest first."""
    home = home_path()
    if not (home / LEDGER).exists():
        return []
    from ftbridge.ledger import JobFilter, Ledger, filtered

    ledger = Ledger(home)
    try:
        return [record for record in reversed(filtered(ledger, JobFilter(limit=_READ))) if _has_result(ledger, record)]
    finally:
        ledger.close()


def _has_result(ledger: Ledger, record: Record) -> bool:
    """Whether the job's result was not deleted; true of every job that has not succeeded."""
    from ftbridge.jobs.deleted import check_result_kept

    try:
        check_result_kept(ledger, record)
    except JobFailed:
        return False
    return True


def _for_jobs(records: list[Record]) -> Iterator[Step]:
    if unclear := [record for record in records if record.is_unclear]:
        yield Step(f"{counted(len(unclear), 'submission')} without a clear answer: finish what is open", "recover")
    if running := [record for record in records if record.job.status not in FINAL and not record.is_unclear]:
        verb = "has" if len(running) == 1 else "have"
        yield Step(f"{counted(len(running), 'job')} {verb} not ended: follow until the end", "watch")
    newest = next((record.job for record in records if record.job.status in FINAL), None)
    if newest and newest.status is Status.FAILED:
        yield Step(f"{_named(newest)} has failed: see why", f"show {newest.id}")
    if ready := next((record.job for record in records if record.job.status is Status.SUCCEEDED), None):
        yield Step(f"{_named(ready)} has succeeded: get the result", f"fetch {ready.id} --out my-adapter")
        yield Step("Ask the model", f'chat {ready.id} "…"')
        yield Step("Score it on rows that it has not seen", f"evaluate {ready.id} HELDOUT.jsonl --baseline")


def _for_folder(folder: Path, *, first: bool) -> Iterator[Step]:
    """What to do with the datasets in the folder; `first` says that there is no job yet."""
    data = _dataset_in(folder)
    if not data and first:
        yield Step("See the whole workflow on this machine, offline, in a few minutes", "demo")
    yield Step(f"Find the problems of {'this' if data else 'a'} dataset", f"check {data or 'DATA.jsonl'}")
    yield Step("See what training on it costs", f"compare {data or 'DATA.jsonl'} --to local:tiny")
    yield Step("Train on it here", f"run {data or 'DATA.jsonl'} --to local:tiny")
    yield Step("See the providers, and what each can do", "providers")


def _dataset_in(folder: Path) -> str:
    """The first file in the folder that looks like a dataset, quoted for a shell; "" where there is none.

    Files to judge a model by come last.
    """
    try:
        found = sorted(file.name for pattern in _DATASETS for file in folder.glob(pattern) if file.is_file())
    except OSError:  # a folder that may not be looked into
        found = []
    found.sort(key=lambda name: any(word in name.lower() for word in _TO_JUDGE_BY))
    return next((shlex.quote(name) for name in found if name.isprintable() and not name.startswith("-")), "")


def _named(job: Job) -> str:
    return f"{job.name or job.id} ({job.target})"
