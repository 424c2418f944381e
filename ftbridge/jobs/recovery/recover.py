"""Finishing what a crash or an unclear answer left open."""

from __future__ import annotations

from collections.abc import Sequence

from ftbridge.context import Context
from ftbridge.errors import FtbridgeError
from ftbridge.jobs.event_warnings import warn_of_messages, warn_of_messages_after
from ftbridge.jobs.exactly_once.adoption import adopt_manually
from ftbridge.jobs.exactly_once.unconfirmed import resolve, resolve_all
from ftbridge.jobs.listing import list_jobs
from ftbridge.jobs.polling import poll_for_free_slots
from ftbridge.jobs.queue import advance, send
from ftbridge.ledger import Record, last_numbers
from ftbridge.model import Job, Status


def recover(context: Context, job: Job | str | None = None) -> list[Job]:
    """Finish what a crash or an unclear answer left open, and send what waits; the jobs that moved on.

    With `job`, that one alone. Raises what a provider answers if that keeps all of them from being checked; otherwise
    it is a warning.
    """
    if job is not None:
        return _recover_one(context, context.record(job))
    left_open = [*context.ledger.jobs(Status.SUBMITTING), *context.ledger.unconfirmed()]
    names = list(dict.fromkeys(record.provider for record in left_open))
    last = last_numbers(context.ledger, [record.job.id for record in left_open])
    problems = [problem for name in names if (problem := _recover_at(context, name))]
    for job_id, number in last.items():
        warn_of_messages_after(context, job_id, number)
    if problems and len(problems) == len(names):
        raise problems[0]
    for problem in problems:
        context.warn(problem.message)
    return _moved(context, left_open)


def _recover_one(context: Context, record: Record) -> list[Job]:
    if record.unconfirmed:
        with warn_of_messages(context, record.job.id):
            resolve(record, context.provider_of(record), context.ledger)
    elif record.job.status is Status.SUBMITTING:
        poll_for_free_slots(context, record.provider)
        with warn_of_messages(context, record.job.id):
            send(context, record, queued=True)
    return _moved(context, [record])


def _moved(context: Context, before: Sequence[Record]) -> list[Job]:
    status = {record.job.id: record.job.status for record in before}
    return [job for job in list_jobs(context, status) if job.status is not status[job.id]]


def _recover_at(context: Context, name: str) -> FtbridgeError | None:
    """Finish what is open at the provider of that name; the first error on the way."""
    try:
        poll_for_free_slots(context, name)
        advance(context, name)
    except FtbridgeError as problem:
        return problem
    return next(iter(resolve_all(context, [name])), None)


def adopt(context: Context, job: Job | str, remote_id: str) -> Job:
    """Take the vendor's job `remote_id` for this unclear job.

    Raises `UsageError` where the job is not unclear, or the vendor's job belongs to another one, and `JobNotFound`
    where the vendor does not have it.
    """
    record = context.record(job)
    return adopt_manually(record, remote_id, context.provider_of(record), context.ledger).job
