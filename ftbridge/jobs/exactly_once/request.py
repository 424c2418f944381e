"""From a request to a job that is written down: the same job as before, or a new one that may be afforded."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ftbridge.context import Context
from ftbridge.costs.budgets import budget_check, check_cost, cost_of
from ftbridge.dataset import advise
from ftbridge.errors import SpecError, StateError
from ftbridge.jobs.exactly_once.absence import at_other_account
from ftbridge.jobs.exactly_once.unclear import explain, next_steps, with_reason
from ftbridge.jobs.exactly_once.unresolved import resolve_or_wait
from ftbridge.jobs.request.intent import is_same, make_intent, request_hash
from ftbridge.jobs.request.preflight import check_open
from ftbridge.jobs.request.prepared import prepare, sent_files, sentence
from ftbridge.ledger import Prepared, Record
from ftbridge.model import Spec, Status
from ftbridge.provider import Provider
from ftbridge.target import Target

QUEUED = "queued"
"""The code of the event that says that a job waits here for a free slot."""


@dataclass(frozen=True)
class Request:
    """What is asked for: a spec at a target, and whether it may be a job that was asked for before.

    `warnings` are about the spec, `format` that of its data.
    """

    spec: Spec
    target: Target
    provider: Provider
    warnings: Sequence[str]
    idempotency_key: str | None
    again: bool
    group: str | None
    format: str | None


def write_intent(context: Context, request: Request) -> tuple[Record, bool]:
    """Check and convert, and write down what is to be asked for; the job, and whether it is a new one.

    A request that was made before is not judged again: neither its target's closing date nor its price.
    """
    repeated = _may_be_repeated(context, request)
    if not repeated:
        check_open(context, request.target, request.spec.method)
    prepared, said = _prepare(context, request)
    asked = request_hash(request.spec, prepared)
    if repeated:
        if known := _known(context, request, asked):
            return known, False
        check_open(context, request.target, request.spec.method)
    for sentence_ in [*request.warnings, *said, *_advice(request)]:
        context.warn(sentence_)
    cost = cost_of(context, request.target, request.spec, *sent_files(prepared, context.home))
    check_cost(context, request.target, cost, request.spec.max_cost_usd)
    request.provider.check_limits(request.spec, request.target.model)
    intent = make_intent(request.spec, prepared, request.idempotency_key, cost, request.group)
    queued = _queued(context, asked)
    record = context.ledger.add(
        intent,
        is_same=lambda known: _is_meant(known, request, queued),
        check=budget_check(context, request.target, cost.estimate_usd_high),
    )
    if record.job.id == intent.id:
        _warn_of_others(context, request, asked, record)
        return record, True
    return _as_known(context, request, record, asked), False


def _may_be_repeated(context: Context, request: Request) -> bool:
    has_key = request.idempotency_key and context.ledger.by_key(request.idempotency_key)
    return bool(has_key) or context.ledger.has_request_to(request.spec.target)


def _known(context: Context, request: Request, asked: str) -> Record | None:
    """The job that this request was before, if it is still the one that is meant."""
    queued = _queued(context, asked)
    for record in context.ledger.requests(None if request.again else request.idempotency_key, asked):
        if not _is_meant(record, request, queued):
            continue
        looked_for = record.unconfirmed and not at_other_account(record, request.provider)
        known = resolve_or_wait(record, request.provider, context.ledger, context.warn) if looked_for else record
        if known.unconfirmed:
            job = with_reason(known, request.provider)
            raise StateError(f"{explain(job)}; it is the same request", hint=next_steps(job))
        if known.job.remote_id or _is_meant(known, request, queued):
            return _as_known(context, request, known, asked)
    return None


def _is_meant(record: Record, request: Request, queued: Collection[str]) -> bool:
    """Whether the request is for the job of `record`, and not for a new one.

    `--again` goes on with an attempt that has not become a clear job yet, because its purchase was requested once. A
    job in the queue is clear, and so is one that a person has cancelled; one at another account cannot be reached.
    """
    if not request.again:
        return is_same(record, request.idempotency_key, request.provider.account)
    if record.is_unclear:
        return record.job.status is not Status.CANCELLED and not at_other_account(record, request.provider)
    return record.job.status is Status.SUBMITTING and record.job.id not in queued


def _queued(context: Context, asked: str) -> set[str]:
    """The IDs of the jobs of the same request that are known to wait for a free slot: nothing has gone wrong there."""
    same = [record for record in context.ledger.requests(None, asked) if record.job.status is Status.SUBMITTING]
    return {
        record.job.id
        for record in same
        if any(event.code == QUEUED for _number, event in context.ledger.events(record.job.id))
    }


def _as_known(context: Context, request: Request, record: Record, asked: str) -> Record:
    """Say that the job is one that was asked for before. Raises `SpecError` where a key stands for something else."""
    if record.request_hash != asked:
        raise SpecError(
            f"the key {request.idempotency_key!r} stands for another request: job {record.job.id}",
            hint="Use another key, or ask for the same data, target and hyperparameters.",
        )
    named = f"{record.job.id} ({record.job.name})" if record.job.name else record.job.id
    if record.job.status is Status.SUBMITTING:
        once = "; once it is sent, --again creates another one" if request.again else ""
        context.warn(f"this goes on with job {named}, which was requested before{once}")
    else:
        another = "" if request.idempotency_key else "; --again creates another one"
        context.warn(f"job {named} is the same request and is {record.job.status}{another}")
    return record


def _warn_of_others(context: Context, request: Request, asked: str, new: Record) -> None:
    """Name the jobs beside which a new one of the same request is created, where that may be a surprise."""
    for record in context.ledger.requests(None, asked):
        if record.job.id == new.job.id:
            continue
        if record.is_unclear:
            job = with_reason(record, request.provider)
            context.warn(f"{explain(job)}. {next_steps(job)} Job {new.job.id} is created beside it.")
        elif request.idempotency_key and is_same(record, None, request.provider.account):
            keyed = f"under the key {record.key!r}" if record.key else "without a key"
            context.warn(
                f"job {record.job.id} is the same request {keyed} and is {record.job.status}; the key"
                f" {request.idempotency_key!r} creates another job, {new.job.id}"
            )


def _prepare(context: Context, request: Request) -> tuple[Prepared, list[str]]:
    spec, rules = request.spec, request.provider.rules(request.spec, request.target.model)
    training, said = prepare(spec.data, rules, spec, context.home, request.format)
    if spec.validation is None:
        return Prepared(training=training), said
    validation, more = prepare(spec.validation, rules, spec, context.home, request.format)
    return Prepared(training=training, validation=validation), [*said, *more]


def _advice(request: Request) -> list[str]:
    """What to think about before paying; standard input has been read by now, and is not looked at again."""
    spec = request.spec
    if str(spec.data) == "-":
        return []
    return [sentence(finding) for finding in advise(spec.data, validation=spec.validation, format=request.format)]
