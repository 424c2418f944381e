"""Keeping experiment trackers up to date with the events of the ledger."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Self

import xxhash

from ftbridge.context import Context
from ftbridge.errors import FtbridgeError, UsageError
from ftbridge.jobs.listing import refresh
from ftbridge.ledger import Ledger, last_numbers
from ftbridge.model import Job
from ftbridge.watching.scheduler import PeriodicTask, Scheduler
from ftbridge.watching.trackers import Report, find_tracker


class Reporting:
    """The reports of jobs to one tracker, written by one process at a time; `name` contains no secret.

    Raises `UsageError` for an unknown tracker, and `MissingExtra` where its package is not installed.
    """

    def __init__(self, ledger: Ledger, to: str) -> None:
        self.name = f"the report to {to.partition(':')[0]}"
        self._open = find_tracker(to)
        self._lock = f"report-{xxhash.xxh3_64_hexdigest(to.encode())}"
        self._ledger = ledger
        self._lock_held: ExitStack | None = None
        self._busy = threading.Lock()
        self._open_reports: dict[str, Report] = {}
        self._written: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_problem: object) -> None:
        """Close all runs with the status of their jobs."""
        with self._busy, self._lock_held or ExitStack():
            for job_id, report in self._open_reports.items():
                report.leave(self._ledger.job(job_id).job)

    def claim(self) -> bool:
        """Whether this process, and no other, writes these reports now."""
        if self._lock_held is None:
            with ExitStack() as tried:
                if tried.enter_context(self._ledger.lock(self._lock)):
                    self._lock_held = tried.pop_all()
        return self._lock_held is not None

    def write_new(self, job_ids: Iterable[str]) -> int:
        """Write the new events of these jobs; how many they were. Writes nothing while another process does."""
        with self._busy:
            if not self.claim():
                return 0
            newest = last_numbers(self._ledger, job_ids)
            return sum(
                self._write_job(job_id) for job_id, last in newest.items() if last > self._written.get(job_id, 0)
            )

    def _write_job(self, job_id: str) -> int:
        job = self._ledger.job(job_id).job
        report = self._open_reports.get(job_id) or self._open(job)
        self._open_reports[job_id] = report
        before = report.last
        events = self._ledger.events(job_id, after=before)
        report.write(events)
        self._written[job_id] = max([before, *(number for number, _event in events)])
        if job.status.final:
            report.leave(job)
            del self._open_reports[job_id]
        return len(events)


@contextmanager
def keep_up_to_date(
    reports: Sequence[Reporting], job_ids: Sequence[str], scheduler: Scheduler, warn: Callable[[str], None]
) -> Iterator[None]:
    """Write the reports of these jobs while the block runs, and complete them at its end, or warn that they are not."""
    for report in reports:
        if not report.claim():
            warn(f"{report.name} is written by another process, which goes on doing so")
        write_new = partial(report.write_new, job_ids)
        scheduler.tasks.append(PeriodicTask(report.name, write_new, pace=1.0, slowest=30.0, vital=False))
    over = False
    try:
        yield
        over = True
    finally:
        for report in reports:
            try:
                with report:
                    if over:
                        report.write_new(job_ids)
            except FtbridgeError as problem:
                warn(f"{report.name} is incomplete, and `ftbridge report` writes the rest: {problem.message}")


def report(context: Context, job: Job | str, to: str) -> int:
    """Write all events of the job to a tracker; how many of them were new there.

    `to` is NAME or NAME:LOCATION: `tensorboard:FOLDER`, `mlflow:URI` or `wandb:PROJECT`. Raises `UsageError` for
    an unknown one, and while another process reports there; `MissingExtra` where its package is not installed.
    """
    [current] = refresh(context, job)
    with Reporting(context.ledger, to) as reporting:
        if not reporting.claim():
            raise UsageError(
                f"{reporting.name} is being written by another process",
                hint="Wait until that process ends.",
            )
        return reporting.write_new([current.id])
