"""The queue of jobs that wait here for a free slot at their provider."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Container, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from statistics import median

from ftbridge.context import Context
from ftbridge.costs.budgets import price_check
from ftbridge.errors import FtbridgeError, NotStarted, SpecError
from ftbridge.jobs.exactly_once.absence import add_message
from ftbridge.jobs.exactly_once.closing import cancel
from ftbridge.jobs.exactly_once.explain_unclear import with_reason
from ftbridge.jobs.exactly_once.sending import has_files, submit
from ftbridge.jobs.request.kept_data import remove_unneeded
from ftbridge.ledger import Ledger, Record, has_free_slot, waiting
from ftbridge.model import Job, Status
from ftbridge.provider import Provider


def advance(context: Context, name: str, *, before: str | None = None, watched: Container[str] = ()) -> int:
    """Send, or find, the `submitting` jobs of the provider called `name`, in order; how many of them changed.

    With `before`, the ID of a job, only those that have waited longer than it. A job that is refused has failed, and
    the next one is sent. An error that concerns all jobs is raised, and so is a list that cannot be read, because then
    nothing is known of any job. Each waiting job that is sent is named in a warning, unless it is in `watched`.
    """
    moved, unstarted = 0, None
    for record in waiting(context.ledger, name):
        if record.job.id == before:
            break
        if record.not_understood:
            add_message(record, _needs_newer(record), context.ledger)
            continue
        try:
            after = send(context, record, queued=True)
        except NotStarted as problem:
            unstarted = problem  # this concerns that job alone
            continue
        except FtbridgeError:
            if not context.ledger.job(record.job.id).job.status.final:
                raise
            moved += 1  # its last event says why it failed
            continue
        moved += after.version != record.version
        if record.posted_at is None and after.posted_at and after.job.id not in watched:
            context.warn(f"job {after.job.id}, which was waiting here, was sent to {name}")
        if after.job.status is Status.SUBMITTING and after.posted_at is None and _is_blocked(context, after):
            break
    if unstarted:
        raise unstarted
    return moved


def _is_blocked(context: Context, record: Record) -> bool:
    """Whether the job waits for a free slot, and those behind it as well; one without its files gets a message."""
    if not has_free_slot(context.ledger, record, context.concurrency_limit(record.provider)):
        return True
    if not has_files(record, context.provider_of(record), context.ledger, context.home):
        add_message(record, "its files are on the machine where it was submitted, which has to send it", context.ledger)
    return False


def send(context: Context, record: Record, *, queued: bool = False, patience: float = 0.0) -> Record:
    """`submit` the job with this home's provider, limits and budgets.

    Raises `SpecError` for one of a newer ftbridge whose spec this one does not know in full: it would train another.
    """
    if record.not_understood:
        raise SpecError(f"job {record.job.id} {_needs_newer(record)}", hint="Upgrade ftbridge here, or send it there.")
    provider, limit = context.provider_named(record.provider), context.concurrency_limit(record.provider)
    judge = partial(price_check, context)
    try:
        return submit(
            record, provider, context.ledger, context.home, limit=limit, queued=queued, patience=patience, judge=judge
        )
    finally:
        if context.ledger.job(record.job.id).job.status.final:  # it may have failed by that
            remove_unneeded(context.home, context.ledger)


def _needs_newer(record: Record) -> str:
    what = ", ".join(record.not_understood)
    return f"has to be sent by the newer ftbridge that wrote it: this one does not know its {what}"


def withdraw(ledger: Ledger, record: Record) -> bool:
    """Cancel a job that was never sent, because it waits for a slot or its submitter died; whether it was one."""
    with ledger.lock(record.job.id) as locked:
        record = ledger.job(record.job.id)
        if not locked or not _waits(record):
            return False
        return cancel(ledger, record, "it was never sent to the vendor") is not None


def with_queue_positions(
    jobs: Sequence[Record], concurrency_limit: Callable[[str], int | None], provider_of: Callable[[str], Provider]
) -> list[Job]:
    """The same jobs, with the queue position and expected start of those that wait, and the reason of those unclear.

    `concurrency_limit` gives, by a provider's name, how many of its jobs may run at once.

    The expected start assumes that each running job takes as long as the median of the provider's finished jobs, from
    being sent to being over; it is unknown while none is over.
    """
    after = {}
    for record in (record for record in jobs if record.is_unclear):
        with suppress(FtbridgeError):  # a provider that cannot be used here hides no job
            after[record.job.id] = with_reason(record, provider_of(record.provider))
    for name in {record.provider for record in jobs if _waits(record)}:
        limit = None
        with suppress(FtbridgeError):
            limit = concurrency_limit(name)
        if limit is None:
            continue
        queue = _queue([record for record in jobs if record.provider == name], limit)
        after |= {job.id: job for job in queue}
    return [after.get(record.job.id, record.job) for record in jobs]


def _queue(jobs: Sequence[Record], slots: int) -> list[Job]:
    waits = [record for record in jobs if _waits(record)]
    over = [r for r in jobs if r.job.status is Status.SUCCEEDED]
    lasted = [(r.job.finished_at - r.posted_at).total_seconds() for r in over if r.job.finished_at and r.posted_at]
    usual = timedelta(seconds=median(lasted)) if lasted else None
    ends = [r.posted_at + usual for r in jobs if r.posted_at and not r.job.status.final] if usual else []
    heapq.heapify(ends)
    queue = []
    for position, record in enumerate(waits, start=1):
        starts = _next_start(ends, usual, slots, record.job.created_at)
        queue.append(record.job.model_copy(update={"queue_position": position, "expected_start": starts}))
    return queue


def _next_start(ends: list[datetime], usual: timedelta | None, slots: int, created_at: datetime) -> datetime | None:
    if usual is None:
        return None
    starts = heapq.heappop(ends) if len(ends) >= slots else created_at
    heapq.heappush(ends, starts + usual)
    return starts


def _waits(record: Record) -> bool:
    return record.job.status is Status.SUBMITTING and record.posted_at is None
