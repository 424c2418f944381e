"""Following jobs until they are over."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from ftbridge.arguments import one_or_more
from ftbridge.context import Context
from ftbridge.jobs.listing import find_job
from ftbridge.ledger import last_numbers
from ftbridge.model import Event, Job
from ftbridge.watching.watch import Watch


def watch(
    context: Context,
    *jobs: Job | str,
    history: bool = True,
    fetch_to: str | Path | None = None,
    listen: int | None = None,
    report: str | Sequence[str] = (),
    deployments: bool = False,
) -> Iterator[tuple[Job, Event | None]]:
    """Yield each job with each of its events, from the beginning, until all the jobs are over.

    Without `history`, events that are already in the ledger are left out. A job that changed, and one job at every
    round, is yielded with `None`, so that a caller can draw, or stop. Jobs that wait for a free slot are sent in order
    as slots become free; hooks are run. With `fetch_to`, a job's result is fetched into `fetch_to`/ID as soon as it
    has succeeded; with `listen`, a loopback port, a vendor's webhook at /PROVIDER makes it poll at once; with `report`,
    all events are written to that tracker, or those. With `deployments`, deployed models that cost by the hour are
    warned of once a day, and those deployed with `max_hours` are undeployed when these are over, until which their
    jobs are followed.
    """
    folder = Path(fetch_to) if fetch_to else None
    watch = Watch(context, fetch_to=folder, listen=listen, report=one_or_more(report), deployments=deployments)
    known = [context.record(job).job.id for job in jobs]
    yield from watch.follow(dict.fromkeys(known, 0) if history else last_numbers(context.ledger, known))


def wait(context: Context, job: Job | str, *, timeout: float | None = None) -> Job:
    """Return when the job is over. Raises `TimeoutError` after `timeout` seconds; the job goes on."""
    deadline = time.monotonic() + timeout if timeout is not None else None
    for current, event in watch(context, job):
        if event is None and not current.status.final and deadline is not None and time.monotonic() > deadline:
            raise TimeoutError(f"job {current.id} is still {current.status} after {timeout} s")
    return find_job(context, job)
