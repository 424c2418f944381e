"""From a request to a job that is written down: the same job as before, or a new one that may be afforded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from ftbridge.context import Context
from ftbridge.costs.budgets import BilledTokens, billed_tokens, budget_check, check_cost, cost_of
from ftbridge.dataset import Advice, Digests
from ftbridge.errors import SpecError, StateError
from ftbridge.jobs.exactly_once.unproved import give_up, settle_for_certain
from ftbridge.jobs.request.intent import is_same, make_intent, request_hash
from ftbridge.jobs.request.preflight import check_open
from ftbridge.jobs.request.prepared import prepare, sentence
from ftbridge.ledger import Prepared, Record
from ftbridge.model import Spec, Status
from ftbridge.provider import Provider
from ftbridge.target import Target


@dataclass(frozen=True)
class Request:
    """What is asked for: a spec at a target, and whether it may be a job that was asked for before.

    `warnings` are about the spec, `format` that of its data.
    """

    spec: Spec
    target: Target
    provider: Provider
    warnings: Sequence[str]
    key: str | None
    again: bool
    group: str | None
    format: str | None


def intend(context: Context, request: Request) -> tuple[Record, bool]:
    """Check and convert, and write down what is to be asked for; the job, and whether it is a new one.

    A request that was made before is not judged again: neither its target's closing date nor its price.
    """
    repeated = not request.again and _may_be_repeated(context, request)
    if not repeated:
        check_open(context, request.target, request.spec.method)
    files = _prepare(context, request)
    prepared = files.prepared
    asked = request_hash(request.spec, prepared)
    if repeated:
        if known := _known(context, request, asked):
            return known, False
        check_open(context, request.target, request.spec.method)
    for sentence_ in [*request.warnings, *files.warnings]:
        context.warn(sentence_)
    cost = cost_of(context, request.target, request.spec, files.tokens)
    check_cost(context, request.target, cost, request.spec.max_cost_usd)
    request.provider.check_limits(request.spec, request.target.model)
    intent = make_intent(request.spec, prepared, request.key, cost, request.group)
    record = context.ledger.add(
        intent,
        is_same=lambda known: not request.again and is_same(known, request.key, request.provider.account),
        check=budget_check(context, request.target, cost.estimate_usd_high),
    )
    if record.job.id == intent.id:
        if request.again:
            _give_up_others(context, asked, record)
        return record, True
    return _as_known(context, request, record, asked), False


def _may_be_repeated(context: Context, request: Request) -> bool:
    return bool(request.key and context.ledger.by_key(request.key)) or context.ledger.asked_before(request.spec.target)


def _known(context: Context, request: Request, asked: str) -> Record | None:
    """The job that this request was before, if it is still the one that is meant."""
    for record in context.ledger.requests(request.key, asked):
        if not is_same(record, request.key, request.provider.account):
            continue
        elsewhere = record.account not in (None, request.provider.account)
        looked_for = record.may_be_there and not elsewhere
        known = settle_for_certain(record, request.provider, context.ledger, context.warn) if looked_for else record
        if known.may_be_there:
            raise StateError(
                f"nobody knows yet whether {record.provider} has job {record.job.id}, which asked for the same"
                + (" with another key or base URL" if elsewhere else ""),
                hint=f"`ftbridge recover` looks for it{' with these' if elsewhere else ''}, `ftbridge events"
                f" {record.job.id}` tells more, and --again makes another job.",
            )
        if is_same(known, request.key, request.provider.account):
            return _as_known(context, request, known, asked)
    return None


def _as_known(context: Context, request: Request, record: Record, asked: str) -> Record:
    """Say that the job is one that was asked for before. Raises `SpecError` where a key stands for something else."""
    if record.request_hash != asked:
        raise SpecError(
            f"the key {request.key!r} stands for another request: job {record.job.id}",
            hint="Use another key, or ask for the same data, target and hyperparameters.",
        )
    named = f"{record.job.id} ({record.job.name})" if record.job.name else record.job.id
    if record.job.status is Status.SUBMITTING:
        context.warn(f"this goes on with job {named}, which asked for the same before")
    else:
        another = "" if request.key else "; --again makes another one"
        context.warn(f"job {named} asked for the same and is {record.job.status}{another}")
    return record


def _give_up_others(context: Context, asked: str, new: Record) -> None:
    """What may have come of the same request before is not wanted beside the new job; what waits for a place is."""
    for record in context.ledger.requests(None, asked):
        is_unclear = record.job.status is Status.SUBMITTING and record.posted_at is not None
        if record.job.id != new.job.id and (record.may_be_there or is_unclear):
            give_up(record, context.ledger, "another job was asked for instead")


@dataclass(frozen=True)
class _Files:
    """The files as they are sent, and what was learned about them in the one pass that wrote each."""

    prepared: Prepared
    warnings: Sequence[str]
    tokens: BilledTokens


def _prepare(context: Context, request: Request) -> _Files:
    """Check and convert the files, each in one pass that also collects advice and counts what will be billed."""
    spec, rules = request.spec, request.provider.converter(request.spec, request.target.model)
    advice, held_out = Advice(), Digests()
    tokens = billed_tokens(context, request.target, spec)
    read = partial(prepare, converter=rules, spec=spec, home=context.home, format=request.format)
    training, warnings = read(spec.data, observer=advice, tokens=tokens.training)
    validation = None
    if spec.validation is not None:
        validation, more = read(spec.validation, observer=held_out, tokens=tokens.validation)
        warnings = [*warnings, *more]
    warnings = [*warnings, *map(sentence, advice.findings(held_out.digests))]
    return _Files(Prepared(training=training, validation=validation), warnings, tokens)
