"""From a request to a job in the ledger: the same job as before, or a new one that is within the budget."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from ftbridge.context import Context
from ftbridge.costs.budgets import BilledTokens, billed_tokens, budget_check, check_cost, cost_of
from ftbridge.dataset import Advice, Digests
from ftbridge.dataset.data_file import Data
from ftbridge.errors import FtbridgeError, SpecError, StateError
from ftbridge.jobs.exactly_once.absence import at_other_account
from ftbridge.jobs.exactly_once.explain_unclear import explain, next_steps, with_reason
from ftbridge.jobs.exactly_once.unconfirmed import resolve, resolve_or_wait
from ftbridge.jobs.request.identity import is_same, make_intent, request_hash
from ftbridge.jobs.request.kept_data import keep_rows, keeping
from ftbridge.jobs.request.preflight import check_open
from ftbridge.jobs.request.prepared import describe, prepare
from ftbridge.ledger import Prepared, Record
from ftbridge.model import Spec, Status
from ftbridge.provider import Provider
from ftbridge.target import Target

QUEUED = "queued"
"""The code of the event that says that a job waits here for a free slot."""


class Files(NamedTuple):
    """A path of the spec is not all that is needed to read its file: columns may have other names."""

    data: Data
    validation: Data | None


@dataclass(frozen=True)
class Request:
    """A spec at a target, and whether it may be a job that was requested before.

    `files` are the spec's as they are to be read, `warnings` are about the spec.
    """

    spec: Spec
    files: Files
    target: Target
    provider: Provider
    warnings: Sequence[str]
    idempotency_key: str | None
    again: bool
    group: str | None


def write_intent(context: Context, request: Request) -> tuple[Record, bool]:
    """Check and convert the data and write the intent into the ledger; the job, and whether it is new.

    For a request that was made before, the target's closing date and the price are not checked again.
    """
    with keeping(context.home):
        return _write_intent(context, request)


def _write_intent(context: Context, request: Request) -> tuple[Record, bool]:
    repeated = _may_be_repeated(context, request)
    if not repeated:
        check_open(context, request.target, request.spec.method)
    files = _prepare(context, request)
    prepared = files.prepared
    fingerprint = request_hash(request.spec, prepared)
    queued = _queued(context, fingerprint) if request.again else set()
    dropped: set[str] = set()
    if repeated:
        if known := _known(context, request, fingerprint, queued, dropped):
            return known, False
        check_open(context, request.target, request.spec.method)
    for warning in [*request.warnings, *files.warnings]:
        context.warn(warning)
    cost = cost_of(context, request.target, request.spec, files.tokens)
    check_cost(context, request.target, cost, request.spec.max_cost_usd)
    request.provider.check_limits(request.spec, request.target.model)
    spec = keep_rows(context.home, request.spec)
    intent = make_intent(spec, prepared, request.idempotency_key, cost, request.group)
    record = context.ledger.add(
        intent,
        is_same=lambda known: known.job.id not in dropped and _is_meant(known, request, queued),
        check=budget_check(context, request.target, cost.estimate_usd_high, group=request.group),
    )
    if record.job.id == intent.id:
        _warn_of_others(context, request, fingerprint, record)
        return record, True
    return _as_known(context, request, record, fingerprint), False


def _may_be_repeated(context: Context, request: Request) -> bool:
    has_key = request.idempotency_key and context.ledger.by_key(request.idempotency_key)
    return bool(has_key) or context.ledger.has_jobs_at(request.spec.target)


def _known(
    context: Context, request: Request, fingerprint: str, queued: Collection[str], dropped: set[str]
) -> Record | None:
    """The job that this request was before, if it is still the one that is meant.

    Adds to `dropped` a job that was cancelled while it was unclear, and has been found and cancelled at its vendor.
    """
    for record in context.ledger.requests(None if request.again else request.idempotency_key, fingerprint):
        if request.again and _is_listed_here(record, request.provider):
            found = resolve(record, request.provider, context.ledger) if record.unconfirmed else record
            return _as_known(context, request, found, fingerprint)
        if not _is_meant(record, request, queued):
            continue
        looked_for = record.unconfirmed and not at_other_account(record, request.provider)
        known = resolve_or_wait(record, request.provider, context.ledger, context.warn) if looked_for else record
        if known.unconfirmed:
            job = with_reason(known, request.provider)
            raise StateError(f"{explain(job)}; it is the same request", hint=next_steps(job))
        if record.unconfirmed and known.job.remote_id and record.job.status is Status.CANCELLED:
            context.warn(f"{record.provider} has created job {record.job.id} all the same; it was cancelled there")
            dropped.add(record.job.id)
        elif known.job.remote_id or _is_meant(known, request, queued):
            return _as_known(context, request, known, fingerprint)
    return None


def _is_listed_here(record: Record, provider: Provider) -> bool:
    """Whether an unclear job of another key or base URL is in the listing that the present ones show."""
    if not record.is_unclear or record.job.status is Status.CANCELLED or not at_other_account(record, provider):
        return False
    try:
        return bool(provider.find(record.job.id))
    except FtbridgeError:  # which is no worse than not having looked
        return False


def _is_meant(record: Record, request: Request, queued: Collection[str]) -> bool:
    """Whether the request is for the job of `record`, and not for a new one.

    `--again` goes on with an attempt that has not become a clear job yet, because its purchase was requested once. One
    of `queued` is clear, and so is one that a person has cancelled; one at another account cannot be reached.
    """
    if not request.again:
        return is_same(record, request.idempotency_key, request.provider.account)
    if record.is_unclear:
        return record.job.status is not Status.CANCELLED and not at_other_account(record, request.provider)
    return record.job.status is Status.SUBMITTING and record.job.id not in queued


def _queued(context: Context, fingerprint: str) -> set[str]:
    """The IDs of the jobs of the same request that are known to wait for a free slot: nothing has gone wrong there."""
    same = [record for record in context.ledger.requests(None, fingerprint) if record.job.status is Status.SUBMITTING]
    return {
        record.job.id
        for record in same
        if any(event.code == QUEUED for _number, event in context.ledger.events(record.job.id))
    }


def _as_known(context: Context, request: Request, record: Record, fingerprint: str) -> Record:
    """Warn that the job was requested before. Raises `SpecError` where its key belongs to a different request."""
    if not record.request_hash:
        raise SpecError(
            f"the idempotency key {request.idempotency_key!r} belongs to {record.job.id}, whose model was deleted",
            hint="Use another key, or --again without a key.",
        )
    if record.request_hash != fingerprint:
        raise SpecError(
            f"the idempotency key {request.idempotency_key!r} belongs to another request: job {record.job.id}",
            hint="Use another key, or submit the same data, target and hyperparameters.",
        )
    if request.idempotency_key and record.key is None:
        record = context.ledger.change(record, user_key=request.idempotency_key) or context.ledger.job(record.job.id)
    named = f"{record.job.id} ({record.job.name})" if record.job.name else record.job.id
    if record.job.status is Status.SUBMITTING:
        once = "; once it is sent, --again creates another one" if request.again else ""
        context.warn(f"this goes on with job {named}, which was requested before{once}")
    else:
        unnamed = request.spec.name not in (None, record.job.name)
        keeps = f", and keeps its name: {request.spec.name!r} is not used" if unnamed else ""
        context.warn(f"job {named} is the same request and {_state(record)}{keeps}{_another(request)}")
    return record


def _another(request: Request) -> str:
    if request.idempotency_key:
        return ""
    return "; run the command once more for another one" if request.again else "; --again creates another one"


def _warn_of_others(context: Context, request: Request, fingerprint: str, new: Record) -> None:
    """Name the other jobs of the same request that exist beside the new one, where that may be a surprise."""
    for record in context.ledger.requests(None, fingerprint):
        if record.job.id == new.job.id:
            continue
        if record.is_unclear:
            job = with_reason(record, request.provider)
            context.warn(f"{explain(job)}. {next_steps(job)} Job {new.job.id} is created beside it.")
        elif not request.again and _is_same_elsewhere(record, request.provider):
            context.warn(
                f"job {record.job.id} is the same request, made with another API key or base URL, and"
                f" {_state(record)}; {new.job.id} is another job: `ftbridge cancel {new.job.id}` drops it"
            )
        elif request.idempotency_key and is_same(record, None, request.provider.account):
            keyed = "under another key" if record.key else "without a key"
            context.warn(
                f"job {record.job.id} is the same request {keyed} and {_state(record)}; this one creates another job,"
                f" {new.job.id}"
            )


def _state(record: Record) -> str:
    return "has succeeded" if record.job.status is Status.SUCCEEDED else f"is {record.job.status}"


def _is_same_elsewhere(record: Record, provider: Provider) -> bool:
    """Whether it would be the same job if its API key and base URL were those that are set now."""
    return at_other_account(record, provider) and is_same(record, None, str(record.account))


@dataclass(frozen=True)
class _Converted:
    """The files as they are sent, and what was learned about them in the one pass that wrote each."""

    prepared: Prepared
    warnings: Sequence[str]
    tokens: BilledTokens


def _prepare(context: Context, request: Request) -> _Converted:
    """Check and convert the files, each in one pass that also collects advice and counts what will be billed."""
    spec, rules = request.spec, request.provider.converter(request.spec, request.target.model)
    advice, held_out = Advice(), Digests()
    tokens = billed_tokens(context, request.target, spec)
    read = partial(prepare, converter=rules, spec=spec, home=context.home)
    training, warnings = read(request.files.data, observer=advice, tokens=tokens.training)
    validation, of_validation = None, list[str]()
    if request.files.validation is not None:
        validation, of_validation = read(request.files.validation, observer=held_out, tokens=tokens.validation)
    warnings = [*warnings, *map(describe, advice.findings(held_out.digests))]
    if validation is not None:
        warnings = [f"training file: {warning}" for warning in warnings]
        warnings += [f"validation file: {warning}" for warning in of_validation]
    return _Converted(Prepared(training=training, validation=validation), warnings, tokens)
