"""Steering a job: cancel, pause, resume."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from ftbridge.context import Context
from ftbridge.errors import UsageError
from ftbridge.jobs.event_warnings import warn_of_messages
from ftbridge.jobs.exactly_once.unconfirmed import cancel_unclear
from ftbridge.jobs.listing import find_job, refresh
from ftbridge.jobs.queue import withdraw
from ftbridge.jobs.request.kept_data import remove_unneeded
from ftbridge.jobs.steering import steer
from ftbridge.model import FINAL, Event, Job, Status, now
from ftbridge.provider import Provider

_ENDED = {Status.SUCCEEDED: "succeeded", Status.FAILED: "failed", Status.CANCELLED: "was cancelled"}


def cancel(context: Context, job: Job | str) -> Job:
    """Cancel the job, or take it out of the queue. A job that is over does not change."""
    record = context.record(job)
    if withdraw(context.ledger, record):
        remove_unneeded(context.home, context.ledger)
        return find_job(context, record.job.id)
    if record.job.status is Status.SUBMITTING or (record.unconfirmed and record.job.status is Status.FAILED):
        with warn_of_messages(context, record.job.id):
            record = cancel_unclear(record, context.provider_of(record), context.ledger)
        if record.job.status is Status.CANCELLED:
            context.warn(f"if {record.provider} has it all the same, it is cancelled there as soon as it is listed")
            return find_job(context, record.job.id)
    return _steer(context, record.job.id, lambda provider: provider.cancel, FINAL)


def pause(context: Context, job: Job | str) -> Job:
    """Stop the job so that `resume` can go on with it."""
    return _steer(context, job, lambda provider: provider.pause, (Status.PAUSED, *FINAL))


def resume(context: Context, job: Job | str) -> Job:
    """Let a paused job, or a failed one where the provider can, go on from its last checkpoint."""
    record = context.record(job)
    if not record.job.remote_id:
        raise UsageError(
            f"job {record.job.id} never reached the provider, so there is nothing to resume",
            hint="Submit it again.",
        )
    if record.job.status not in (Status.PAUSED, Status.FAILED):
        raise UsageError(
            f"job {record.job.id} is {record.job.status}; only a paused or failed job can be resumed",
            hint=f"`ftbridge show {record.job.id}` shows more.",
        )
    provider = context.provider_of(record)
    steer(provider, record.job.remote_id, provider.resume, (Status.VALIDATING, Status.QUEUED, Status.RUNNING))
    event = Event(at=now(), kind="status", status=Status.QUEUED, message="resumed")
    context.ledger.change(record, [event], status=Status.QUEUED, error=None, finished_at=None)
    return refresh(context, record.job.id)[0]


def _steer(
    context: Context, job: Job | str, action: Callable[[Provider], Callable[[str], None]], wanted: Collection[Status]
) -> Job:
    [current] = refresh(context, job)
    if current.status.final:
        context.warn(f"job {current.id} is already over: it {_ENDED[current.status]}")
        return current
    if not current.remote_id:
        raise UsageError(
            f"job {current.id} is still being submitted", hint="`ftbridge recover` finishes that; then try again."
        )
    provider = context.provider_of(context.record(current))
    steer(provider, current.remote_id, action(provider), wanted)
    for _attempt in range(10):  # many vendors need a moment
        [after] = refresh(context, current)
        if after.status is not current.status:
            return after
        time.sleep(min(0.5, provider.poll_seconds))
    return after
