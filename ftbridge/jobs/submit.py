"""Submitting: check, convert, upload and start one job."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Unpack

from ftbridge.arguments import HyperparameterArguments
from ftbridge.context import Context
from ftbridge.dataset.reading.given import Given, given
from ftbridge.errors import FtbridgeError, RateLimited, UsageError
from ftbridge.jobs.continuing import start_of, teacher_at
from ftbridge.jobs.event_warnings import warn_of_messages
from ftbridge.jobs.exactly_once.absence import add_message
from ftbridge.jobs.exactly_once.explain_unclear import explain, next_steps
from ftbridge.jobs.exactly_once.find_or_create import QUEUED, Files, Request, write_intent
from ftbridge.jobs.listing import find_job
from ftbridge.jobs.polling import poll_for_free_slots
from ftbridge.jobs.queue import advance, send
from ftbridge.jobs.request.identity import absolute_path
from ftbridge.jobs.request.kept_data import remove_unneeded
from ftbridge.ledger import LAST, Record, has_free_slot
from ftbridge.model import Job, Status
from ftbridge.spec import LONGEST_KEY, check_label, json_object, make_spec
from ftbridge.wording import clause, counted

_PATIENCE = 60.0  # seconds to wait for another process that is sending the same job


def submit(
    context: Context,
    data: Given,
    to: str | None = None,
    *,
    from_job: Job | str | None = None,
    validation: Given | None = None,
    method: str = "sft",
    grader: Mapping[str, Any] | str | Path | None = None,
    response_format: Mapping[str, Any] | str | Path | None = None,
    teacher: Job | str | None = None,
    name: str | None = None,
    idempotency_key: str | None = None,
    again: bool = False,
    group: str | None = None,
    max_cost: float | None = None,
    allow_ignored: bool = False,
    format: str | None = None,  # noqa: A002 - the word users know
    map: Mapping[str, str] | None = None,  # noqa: A002 - likewise
    **hyperparameters: Unpack[HyperparameterArguments],
) -> Job:
    """Check, convert, upload and start one job; returns as soon as the provider has it.

    `to` is the target; with `from_job` in its place the job goes on from the result of that one, at its provider.

    Submitting the same data, target and hyperparameters again gives the same job while it is open, while it is unclear
    whether the vendor has it, and for a day after it has succeeded. With `again` it gives another one, unless an
    earlier attempt is unclear or was never sent, which it then goes on with; with `idempotency_key` it gives the same
    one for as long as the ledger has it. `grader` and `response_format`, of reinforcement, are objects in the vendor's
    own format, or files that hold them; `teacher`, of distillation, is a job or a target of the same provider; `group`
    is what the job belongs to. The hyperparameters are the fields of `Hyperparameters`, such as `epochs=3`. `data`,
    `validation` and `map` are as those of `Bridge.check`; rows that are in no file are kept in the home until the job
    is over.

    Raises `UsageError` or `DataError` before anything leaves this machine, among them `OverBudget` where the job may
    cost more than `max_cost`, in US dollars, or the month's budget.
    """
    if again and idempotency_key is not None:
        raise UsageError(
            "an idempotency key stands for one job, and --again creates another one", hint="Give one of the two."
        )
    if name is not None and name.rpartition(":")[2] == LAST:
        raise UsageError(
            f"a job cannot be named {name!r}: {LAST!r} stands for the newest one", hint="Name it otherwise."
        )
    check_label("group", group)
    check_label("idempotency_key", idempotency_key, LONGEST_KEY)
    target = start_of(context, to, from_job)
    provider = context.provider(target)
    with ExitStack() as opened:
        files = Files(
            opened.enter_context(given(data, context.home, map)),
            opened.enter_context(given(validation, context.home, map)) if validation is not None else None,
        )
        spec = make_spec(
            target=str(target),
            data=absolute_path(files.data),
            validation=absolute_path(files.validation) if files.validation is not None else None,
            method=method,
            grader=json_object(grader),
            response_format=json_object(response_format),
            teacher=teacher_at(context, target, teacher) if teacher is not None else None,
            name=name,
            max_cost_usd=max_cost,
            format=format,
            map=dict(map) if map else None,
            hyperparameters=hyperparameters,
        )
        warnings, spec = provider.check_spec(spec, allow_ignored=allow_ignored)
        request = Request(
            spec,
            files,
            target,
            provider,
            warnings,
            idempotency_key=idempotency_key,
            again=again,
            group=group,
        )
        return _find_or_create(context, request)


def _find_or_create(context: Context, request: Request) -> Job:
    record, is_new = None, False
    with request.provider.preloading(request.spec, request.target.model):
        try:
            while True:
                record, is_new = write_intent(context, request)
                job = _send(context, record)
                refused_meanwhile = record.job.status is Status.SUBMITTING and job.status is Status.FAILED
                if is_new or not refused_meanwhile:
                    return job
        except KeyboardInterrupt:
            context.warn(_after_interruption(record))
            raise
        finally:
            if not is_new:  # nothing needs what was converted for it
                remove_unneeded(context.home, context.ledger)


def _send(context: Context, record: Record) -> Job:
    """Send the job to its provider, after those before it in the queue; it may have to wait here."""
    job_id = record.job.id
    if record.job.status is not Status.SUBMITTING:
        return find_job(context, job_id)
    try:
        poll_for_free_slots(context, record.provider)
        advance(context, record.provider, before=job_id)
    except FtbridgeError as problem:
        context.warn(f"jobs waiting for {record.provider} could not be sent: {problem.message}")
    try:
        with warn_of_messages(context, job_id):
            sent = send(context, record, patience=_PATIENCE)
    except RateLimited as problem:
        context.warn(
            f"{clause(problem.message)}; job {job_id} waits here, and `ftbridge watch` sends it if it is not there"
        )
        return find_job(context, job_id)
    if sent.job.status is Status.SUBMITTING and sent.posted_at is None:
        limit = context.concurrency_limit(record.provider)
        why = "it is not sent yet"
        if limit and not has_free_slot(context.ledger, sent, limit):
            why = f"{record.provider} runs {counted(limit, 'job')} at once"
            add_message(sent, f"waits here: {why}", context.ledger, code=QUEUED)
        context.warn(f"{why}; {job_id} waits here, and `ftbridge watch` sends it")
    job = find_job(context, job_id)
    if job.unclear:
        context.warn(f"{explain(job)}. {next_steps(job)}")
    return job


def _after_interruption(record: Record | None) -> str:
    """What is left of an interrupted submission."""
    if record is None:
        return "nothing was sent, and no job was created, by this command"
    job = record.job.id
    return f"job {job} stays: `ftbridge watch {job}` goes on with it, `ftbridge cancel {job}` drops it"
