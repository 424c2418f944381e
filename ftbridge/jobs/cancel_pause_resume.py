"""Steering a job: cancel, pause, resume."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Literal

from ftbridge.context import Context
from ftbridge.errors import FtbridgeError, StateError, UsageError
from ftbridge.jobs.event_warnings import warn_of_messages
from ftbridge.jobs.exactly_once import closing
from ftbridge.jobs.exactly_once.adoption import adopt
from ftbridge.jobs.exactly_once.unconfirmed import cancel_unclear
from ftbridge.jobs.listing import find_job, refresh
from ftbridge.jobs.queue import withdraw
from ftbridge.jobs.request.kept_data import remove_unneeded
from ftbridge.jobs.steering import steer
from ftbridge.ledger import Ledger, Record
from ftbridge.model import FINAL, Event, Job, Status, now
from ftbridge.wording import clause

GIVEN_UP = "given_up"
"""The code of the event by which a job was ended here alone."""
_ENDED = {Status.SUCCEEDED: "succeeded", Status.FAILED: "failed", Status.CANCELLED: "was cancelled"}


def cancel(context: Context, job: Job | str, *, give_up: bool = False) -> Job:
    """Cancel the job, or take it out of the queue. A job that is over does not change.

    With `give_up` it is over here although its provider cannot be asked, or refuses; what runs there goes on.
    """
    record = context.record(job)
    try:
        return _cancel(context, record)
    except FtbridgeError as problem:
        if not give_up:
            raise
        return _give_up(context, record, problem)


def _cancel(context: Context, record: Record) -> Job:
    if withdraw(context.ledger, record):
        remove_unneeded(context.home, context.ledger)
        return find_job(context, record.job.id)
    if record.job.status is Status.SUBMITTING or (record.unconfirmed and record.job.status is Status.FAILED):
        with warn_of_messages(context, record.job.id):
            record = cancel_unclear(record, context.provider_of(record), context.ledger)
        if record.job.status is Status.CANCELLED:
            context.warn(f"if {record.provider} has it all the same, it is cancelled there as soon as it is listed")
            return find_job(context, record.job.id)
    if _was_given_up(context.ledger, record):
        _take_up_again(context, record)
    return _steer(context, record.job.id, "cancel", FINAL)


def _give_up(context: Context, record: Record, problem: FtbridgeError) -> Job:
    """End the job here alone. One that may yet turn up at its vendor is still looked for, and cancelled there."""
    with context.ledger.lock(record.job.id) as locked:
        if not locked:
            raise StateError(
                f"another process is sending job {record.job.id}; it was not given up",
                hint="Wait until that process is done, or stop it; then try again.",
            ) from problem
        record = _end_here(context.ledger, record.job.id, problem)
    remove_unneeded(context.home, context.ledger)
    if record.unconfirmed:
        then = "it is cancelled there as soon as it is listed"
    else:
        then = f"it goes on there until `ftbridge cancel {record.job.id}` reaches it"
    if record.unconfirmed or _was_given_up(context.ledger, record):
        context.warn(f"{clause(problem.message)}; if {record.provider} has the job, {then}")
    return find_job(context, record.job.id)


def _end_here(ledger: Ledger, job_id: str, problem: FtbridgeError) -> Record:
    """The job, which is cancelled unless it is over; a poll may write into it meanwhile."""
    while True:
        record = ledger.job(job_id)
        if record.job.status.final and not (record.unconfirmed and record.job.status is Status.FAILED):
            return record
        if ended := closing.cancel(ledger, record, f"given up: {problem.message}", code=GIVEN_UP):
            return ended


def _was_given_up(ledger: Ledger, record: Record) -> bool:
    """Whether the job was ended here alone, although its vendor had it."""
    if record.job.status is not Status.CANCELLED or not record.job.remote_id:
        return False
    ends = [event for _number, event in ledger.events(record.job.id) if event.status is Status.CANCELLED]
    return bool(ends) and ends[-1].code == GIVEN_UP


def _take_up_again(context: Context, record: Record) -> None:
    """The job is again what it is at its vendor, so that it can be cancelled there; unless the vendor has lost it."""
    provider = context.provider_of(record)
    if remote := next(iter(provider.poll([str(record.job.remote_id)])), None):
        adopt(record, [remote], provider, context.ledger)


def pause(context: Context, job: Job | str) -> Job:
    """Stop the job so that `resume` can go on with it."""
    return _steer(context, job, "pause", (Status.PAUSED, *FINAL))


def resume(context: Context, job: Job | str) -> Job:
    """Let a paused job, or a failed one where the provider can, go on from its last checkpoint."""
    record = context.record(job)
    if not record.job.remote_id:
        raise UsageError(
            f"job {record.job.id} never reached the provider, so there is nothing to resume",
            hint="Submit it again.",
        )
    if record.job.status not in (Status.PAUSED, Status.FAILED):
        what = _ENDED.get(record.job.status, f"is {record.job.status}")
        raise UsageError(
            f"job {record.job.id} {what}; only a paused or failed job can be resumed",
            hint=f"`ftbridge show {record.job.id}` shows more.",
        )
    provider = context.provider_of(record)
    steer(provider, record.job.remote_id, provider.resume, (Status.VALIDATING, Status.QUEUED, Status.RUNNING))
    event = Event(at=now(), kind="status", status=Status.QUEUED, message="resumed")
    context.ledger.change(record, [event], status=Status.QUEUED, error=None, finished_at=None)
    return refresh(context, record.job.id)[0]


def _steer(context: Context, job: Job | str, verb: Literal["cancel", "pause"], wanted: Collection[Status]) -> Job:
    [current] = refresh(context, job)
    if current.status.final:
        context.warn(f"job {current.id} is already over: it {_ENDED[current.status]}")
        return current
    if current.status in wanted:
        context.warn(f"job {current.id} is {current.status} already")
        return current
    if not current.remote_id:
        raise UsageError(
            f"job {current.id} is still being submitted", hint="`ftbridge recover` finishes that; then try again."
        )
    provider = context.provider_of(context.record(current))
    steer(provider, current.remote_id, provider.cancel if verb == "cancel" else provider.pause, wanted)
    for _attempt in range(10):  # many vendors need a moment
        [after] = refresh(context, current)
        if after.status is not current.status:
            return after
        time.sleep(min(0.5, provider.poll_seconds))
    context.warn(
        f"{provider.name} was asked to {verb} job {current.id}, and reports it as {after.status} so far:"
        f" `ftbridge watch {current.id}` shows when that is done"
    )
    return after
