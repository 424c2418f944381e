"""Keeping trackers as far as the ledger is: what jobs have told, written where people look at curves."""

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
    """The reports of jobs to one tracker, which one process at a time writes; `name` has nothing secret in it.

    Raises `UsageError` for a tracker that there is not, and `MissingExtra` where its package is absent.
    """

    def __init__(self, ledger: Ledger, to: str) -> None:
        self.name = f"the report to {to.partition(':')[0]}"
        self._open = find_tracker(to)
        self._lock = f"report-{xxhash.xxh3_64_hexdigest(to.encode())}"
        self._ledger = ledger
        self._held: ExitStack | None = None
        self._busy = threading.Lock()
        self._under_way: dict[str, Report] = {}
        self._written: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_problem: object) -> None:
        """Put all runs down as their jobs stand."""
        with self._busy, self._held or ExitStack():
            for job_id, report in self._under_way.items():
                report.leave(self._ledger.job(job_id).job)

    def claim(self) -> bool:
        """Whether this process, and no other, writes these reports now."""
        if self._held is None:
            with ExitStack() as tried:
                if tried.enter_context(self._ledger.lock(self._lock)):
                    self._held = tried.pop_all()
        return self._held is not None

    def bring(self, job_ids: Iterable[str]) -> int:
        """Write what is new of these jobs; how many events that were. Nothing, while another process writes."""
        with self._busy:
            if not self.claim():
                return 0
            newest = last_numbers(self._ledger, job_ids)
            return sum(self._bring(job_id) for job_id, last in newest.items() if last > self._written.get(job_id, 0))

    def _bring(self, job_id: str) -> int:
        job = self._ledger.job(job_id).job
        report = self._under_way.get(job_id) or self._open(job)
        self._under_way[job_id] = report
        before = report.last
        events = self._ledger.events(job_id, after=before)
        report.write(events)
        self._written[job_id] = max([before, *(number for number, _event in events)])
        if job.status.final:
            report.leave(job)
            del self._under_way[job_id]
        return len(events)


@contextmanager
def keep_up_to_date(
    reports: Sequence[Reporting], job_ids: Sequence[str], scheduler: Scheduler, say: Callable[[str], None]
) -> Iterator[None]:
    """Within, the reports of these jobs grow with what happens; at a good end they are whole, or it is said."""
    for report in reports:
        if not report.claim():
            say(f"{report.name} is written by another process, and left to it while that goes on")
        bring = partial(report.bring, job_ids)
        scheduler.tasks.append(PeriodicTask(report.name, bring, pace=1.0, slowest=30.0, vital=False))
    over = False
    try:
        yield
        over = True
    finally:
        for report in reports:
            try:
                with report:
                    if over:
                        report.bring(job_ids)
            except FtbridgeError as problem:
                say(f"{report.name} is not whole, and `ftbridge report` writes the rest: {problem.message}")


def report(context: Context, job: Job | str, to: str) -> int:
    """Write all that is known of the job to a tracker; how many of its events were new there.

    `to` is NAME or NAME:PLACE: `tensorboard:FOLDER`, `mlflow:URI` or `wandb:PROJECT`. Raises `UsageError` for
    another one, and while another process reports there; `MissingExtra` where its package is absent.
    """
    [current] = refresh(context, job)
    with Reporting(context.ledger, to) as reporting:
        if not reporting.claim():
            raise UsageError(
                f"{reporting.name} is being written by another process",
                hint="It writes what it watches; wait until it ends.",
            )
        return reporting.bring([current.id])
