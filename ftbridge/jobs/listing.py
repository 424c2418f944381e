"""Jobs as the ledger has them, and as their providers have them now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Unpack

from ftbridge.arguments import one_or_more
from ftbridge.context import Context
from ftbridge.errors import JobFailed, UsageError
from ftbridge.jobs.deleted import check_result_kept
from ftbridge.jobs.exactly_once.unconfirmed import resolve_all
from ftbridge.jobs.filters import JobConditions, read_conditions
from ftbridge.jobs.polling import poll_once
from ftbridge.jobs.queue import with_queue_positions
from ftbridge.ledger import Record, filtered
from ftbridge.model import Event, Job, Status


def refresh(context: Context, *jobs: Job | str, **conditions: Unpack[JobConditions]) -> list[Job]:
    """Ask the providers once, and return the jobs as they are then; without `jobs`, all that meet the conditions."""
    if jobs:
        records = [context.record(job) for job in jobs]
    else:
        wanted = read_conditions(context, conditions)
        # by the status that it gets now, a job may come into the list or fall out of it
        limit = None if wanted.statuses else wanted.limit
        records = filtered(context.ledger, wanted._replace(statuses=(), limit=limit))
    problems = poll_once(context, [record.job.id for record in records])
    if names := {record.provider for record in records if record.unconfirmed}:
        problems += resolve_all(context, names)
    if problems and jobs:
        raise problems[0]
    for problem in problems:
        context.warn(problem.message)
    return list_jobs(context, [record.job for record in records]) if jobs else list_jobs(context, **conditions)


def list_jobs(
    context: Context, only: Job | str | Iterable[Job | str] | None = None, **conditions: Unpack[JobConditions]
) -> list[Job]:
    """The jobs as the ledger has them: only that one, or those in their order, or all that meet the conditions.

    All jobs come oldest first. Raises `UsageError` for a condition that cannot be met.
    """
    if only is None:
        records = filtered(context.ledger, read_conditions(context, conditions))
    elif conditions:
        raise UsageError("conditions choose among all jobs, and `only` names them", hint="Give one of the two.")
    else:
        records = [context.record(job) for job in one_or_more(only)]
    if not any(record.job.status is Status.SUBMITTING or record.is_unclear for record in records):
        return [record.job for record in records]
    # a queue position depends on all jobs
    known = with_queue_positions(context.ledger.jobs(), context.concurrency_limit, context.provider_named)
    queued = {job.id: job for job in known}
    return [queued.get(record.job.id, record.job) for record in records]


def find_job(context: Context, job: Job | str) -> Job:
    """One job as the ledger has it, by its ID, the beginning of it, its name, "last", or PROVIDER:last."""
    return list_jobs(context, [job])[0]


def events(context: Context, job: Job | str) -> list[Event]:
    """All events of the job, oldest first."""
    return [event for _number, event in context.ledger.events(context.record(job).job.id)]


def succeeded(context: Context, job: Job | str) -> Record:
    """The job, refreshed. Raises `JobFailed` unless it has succeeded and its result was not deleted."""
    record = context.record(refresh(context, job)[0])
    if record.job.status is not Status.SUCCEEDED:
        why = f": {record.job.error}" if record.job.error else ""
        raise JobFailed(
            f"job {record.job.id} is {record.job.status}{why}",
            hint=f"`ftbridge {'events' if record.job.status.final else 'watch'} {record.job.id}` shows what happens.",
        )
    check_result_kept(context.ledger, record)
    return record
