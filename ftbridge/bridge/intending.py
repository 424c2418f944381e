"""From a wish to a job that is written down: the same job as before, or a new one that may be afforded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ftbridge.bridge.guard import budget_check, check_cost, check_open, cost_of
from ftbridge.bridge.intent import is_same, make_intent, request_hash
from ftbridge.bridge.prepare import prepare, sent_files, sentence
from ftbridge.bridge.settling import give_up, settle_for_certain
from ftbridge.bridge.workplace import Workplace
from ftbridge.dataset import advise
from ftbridge.errors import SpecError, StateError
from ftbridge.ledger import Prepared, Record
from ftbridge.model import Spec, Status
from ftbridge.provider import Provider
from ftbridge.target import Target


@dataclass(frozen=True)
class Wish:
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


def intend(place: Workplace, wish: Wish) -> tuple[Record, bool]:
    """Check and convert, and write down what is to be asked for; the job, and whether it is a new one.

    A request that was made before is not judged again: neither its target's closing date nor its price.
    """
    repeated = not wish.again and _may_be_repeated(place, wish)
    if not repeated:
        check_open(place, wish.target, wish.spec.method)
    prepared, said = _prepare(place, wish)
    asked = request_hash(wish.spec, prepared)
    if repeated:
        if known := _known(place, wish, asked):
            return known, False
        check_open(place, wish.target, wish.spec.method)
    for sentence_ in [*wish.warnings, *said, *_advice(wish)]:
        place.say(sentence_)
    cost = cost_of(place, wish.target, wish.spec, *sent_files(prepared, place.home))
    check_cost(place, wish.target, cost, wish.spec.max_cost_usd)
    wish.provider.check_limits(wish.spec, wish.target.model)
    intent = make_intent(wish.spec, prepared, wish.key, cost, wish.group)
    record = place.ledger.add(
        intent,
        is_same=lambda known: not wish.again and is_same(known, wish.key, wish.provider.account),
        check=budget_check(place, wish.target, cost.estimate_usd_high),
    )
    if record.job.id == intent.id:
        if wish.again:
            _give_up_others(place, asked, record)
        return record, True
    return _as_known(place, wish, record, asked), False


def _may_be_repeated(place: Workplace, wish: Wish) -> bool:
    return bool(wish.key and place.ledger.by_key(wish.key)) or place.ledger.asked_before(wish.spec.target)


def _known(place: Workplace, wish: Wish, asked: str) -> Record | None:
    """The job that this request was before, if it is still the one that is meant."""
    for record in place.ledger.requests(wish.key, asked):
        if not is_same(record, wish.key, wish.provider.account):
            continue
        elsewhere = record.account not in (None, wish.provider.account)
        looked_for = record.may_be_there and not elsewhere
        known = settle_for_certain(record, wish.provider, place.ledger, place.say) if looked_for else record
        if known.may_be_there:
            raise StateError(
                f"nobody knows yet whether {record.provider} has job {record.job.id}, which asked for the same"
                + (" with another key or base URL" if elsewhere else ""),
                hint=f"`ftbridge recover` looks for it{' with these' if elsewhere else ''}, `ftbridge events"
                f" {record.job.id}` tells more, and --again makes another job.",
            )
        if is_same(known, wish.key, wish.provider.account):
            return _as_known(place, wish, known, asked)
    return None


def _as_known(place: Workplace, wish: Wish, record: Record, asked: str) -> Record:
    """Say that the job is one that was asked for before. Raises `SpecError` where a key stands for something else."""
    if record.request_hash != asked:
        raise SpecError(
            f"the key {wish.key!r} stands for another request: job {record.job.id}",
            hint="Use another key, or ask for the same data, target and hyperparameters.",
        )
    named = f"{record.job.id} ({record.job.name})" if record.job.name else record.job.id
    if record.job.status is Status.SUBMITTING:
        place.say(f"this goes on with job {named}, which asked for the same before")
    else:
        another = "" if wish.key else "; --again makes another one"
        place.say(f"job {named} asked for the same and is {record.job.status}{another}")
    return record


def _give_up_others(place: Workplace, asked: str, new: Record) -> None:
    """What may have come of the same request before is not wanted beside the new job; what waits for a place is."""
    for record in place.ledger.requests(None, asked):
        is_unclear = record.job.status is Status.SUBMITTING and record.posted_at is not None
        if record.job.id != new.job.id and (record.may_be_there or is_unclear):
            give_up(record, place.ledger, "another job was asked for instead")


def _prepare(place: Workplace, wish: Wish) -> tuple[Prepared, list[str]]:
    spec, rules = wish.spec, wish.provider.rules(wish.spec, wish.target.model)
    training, said = prepare(spec.data, rules, spec, place.home, wish.format)
    if spec.validation is None:
        return Prepared(training=training), said
    validation, more = prepare(spec.validation, rules, spec, place.home, wish.format)
    return Prepared(training=training, validation=validation), [*said, *more]


def _advice(wish: Wish) -> list[str]:
    """What to think about before paying; standard input has been read by now, and is not looked at again."""
    spec = wish.spec
    if str(spec.data) == "-":
        return []
    return [sentence(finding) for finding in advise(spec.data, validation=spec.validation, format=wish.format)]
