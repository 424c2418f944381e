"""Submitting: check, convert, upload and start one job."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ftbridge.context import Context
from ftbridge.errors import FtbridgeError, RateLimited, UsageError
from ftbridge.jobs.exactly_once.absence import tell
from ftbridge.jobs.exactly_once.request import QUEUED, Request, intend
from ftbridge.jobs.exactly_once.unclear import explain, next_steps
from ftbridge.jobs.listing import find_job
from ftbridge.jobs.messages import warn_of_messages
from ftbridge.jobs.polling import update_slots
from ftbridge.jobs.queue import advance, send
from ftbridge.jobs.request.intent import object_of, place_of
from ftbridge.ledger import Record, has_free_slot
from ftbridge.model import Job, Status, make_spec
from ftbridge.wording import clause, counted

_PATIENCE = 60.0  # seconds for another process that sends a job which this one has asked for


def submit(
    context: Context,
    data: str | Path,
    to: str,
    *,
    validation: str | Path | None = None,
    method: str = "sft",
    grader: Mapping[str, Any] | str | Path | None = None,
    response_format: Mapping[str, Any] | str | Path | None = None,
    name: str | None = None,
    key: str | None = None,
    again: bool = False,
    group: str | None = None,
    max_cost: float | None = None,
    allow_ignored: bool = False,
    format: str | None = None,  # noqa: A002 - as above
    **hyperparameters: Any,
) -> Job:
    """Check, convert, upload and start one job; returns as soon as the provider has it.

    Asking again for the same data, target and hyperparameters gives the same job while it is open, while nobody
    knows whether the vendor has it, and for a day after it has succeeded; with `again` it gives another one, and
    with `key` the same one for as long as the ledger has it. `grader` and `response_format`, of reinforcement,
    are objects in the vendor's own words, or files that hold them; `group` is what the job belongs to.
    Raises `UsageError` or `DataError` before anything leaves this machine, `OverBudget` among them where
    the job may cost more than `max_cost`, in US dollars, or the month's budget.
    """
    if again and key:
        raise UsageError("a key stands for one job, and --again asks for another one", hint="Give one of the two.")
    target = context.target(to)
    provider = context.provider(target)
    spec = make_spec(
        target=str(target),
        data=place_of(data),
        validation=place_of(validation) if validation else None,
        method=method,
        grader=object_of(grader),
        response_format=object_of(response_format),
        name=name,
        max_cost_usd=max_cost,
        hyperparameters=hyperparameters,
    )
    warnings, spec = provider.check_spec(spec, allow_ignored=allow_ignored)
    record = None
    with provider.expecting(spec, target.model):
        try:
            wish = Request(spec, target, provider, warnings, key=key, again=again, group=group, format=format)
            while True:
                record, is_new = intend(context, wish)
                job = _send(context, record)
                refused_meanwhile = record.job.status is Status.SUBMITTING and job.status is Status.FAILED
                if is_new or not refused_meanwhile:
                    return job
        except KeyboardInterrupt:
            context.warn(_what_stays(record))
            raise


def _send(context: Context, record: Record) -> Job:
    """Send the job to its provider, those before it in the queue first; it may have to wait here."""
    job_id = record.job.id
    if record.job.status is not Status.SUBMITTING:
        return find_job(context, job_id)
    try:
        update_slots(context, record.provider)
        advance(context, record.provider, before=job_id)
    except FtbridgeError as problem:
        context.warn(f"jobs that wait for {record.provider} could not be sent: {problem.message}")
    try:
        with warn_of_messages(context, job_id):
            sent = send(context, record, patience=_PATIENCE)
    except RateLimited as problem:
        context.warn(
            f"{clause(problem.message)}; job {job_id} waits here: `ftbridge watch` sends it, unless it is there"
        )
        return find_job(context, job_id)
    if sent.job.status is Status.SUBMITTING and sent.posted_at is None:
        limit = context.concurrency_limit(record.provider)
        why = "it is not sent yet"
        if limit and not has_free_slot(context.ledger, sent, limit):
            why = f"{record.provider} runs {counted(limit, 'job')} at once"
            tell(sent, f"waits here: {why}", context.ledger, code=QUEUED)
        context.warn(f"{why}; {job_id} waits here, and `ftbridge watch` sends it")
    job = find_job(context, job_id)
    if job.unclear:
        context.warn(f"{explain(job)}. {next_steps(job)}")
    return job


def _what_stays(record: Record | None) -> str:
    """What is left of a submission that somebody has interrupted."""
    if record is None:
        return "nothing was sent, and no job was created, by this command"
    job = record.job.id
    return f"the job {job} stays: `ftbridge watch {job}` goes on with it, `ftbridge cancel {job}` ends it"
