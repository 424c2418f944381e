"""All jobs and tuned models that are going to end, by date."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Literal

from ftbridge.context import Context, account_name
from ftbridge.errors import BrokenPlugin, ConfigError, FtbridgeError, MissingExtra
from ftbridge.jobs.deleted import deletion_of_result
from ftbridge.model import Frozen, Job, Status
from ftbridge.plugins import provider_names
from ftbridge.provider import TunedModel
from ftbridge.target import Target, parse_target


class Ending(Frozen):
    """Something that ends on a day: a tuned `model` that stops answering, or a `job` that can no longer be created.

    `target` is the base that it was tuned from, `job` its ID in the ledger, `None` for a model that ftbridge did not
    make, and `source` where the date is from.
    """

    closes_on: date
    what: Literal["model", "job"]
    name: str
    target: str
    job: str | None
    source: str


def endings(context: Context, *, offline: bool = False) -> list[Ending]:
    """What is going to end, or has ended, soonest first: in the ledger, and at every vendor whose key is set.

    With `offline` no vendor is asked. One that cannot be asked is left out, with a warning.
    """
    at_vendors = {} if offline else dict(_at_vendors(context))
    found, deleted = dict[str, Ending](), set[str | None]()
    for record in context.ledger.jobs():
        if deletion_of_result(context.ledger, record):
            deleted.add(record.job.result.model if record.job.result else None)
        elif ending := _of_job(context, record.job, at_vendors):
            found[ending.name] = ending
    for name, (target, tuned) in at_vendors.items():
        if name not in found and name not in deleted and (ending := _of_model(context, target, tuned, None)):
            found[name] = ending
    return sorted(found.values(), key=lambda ending: (ending.closes_on, ending.name))


def _at_vendors(context: Context) -> Iterator[tuple[str, tuple[Target, TunedModel]]]:
    """The tuned models of every account, by their names, each with the target of its base."""
    mocked = {record.provider for record in context.ledger.jobs()} - set(provider_names())
    for name in [*provider_names(), *sorted(mocked)]:
        account = Target(name.removeprefix("mock+"), "", name.startswith("mock+"))
        try:
            provider = context.provider(account)
            _ = provider.account  # raises without a key, which needs no warning
        except (BrokenPlugin, ConfigError, MissingExtra):
            continue
        try:
            for tuned in provider.list_tuned_models():
                yield tuned.model, (account._replace(model=tuned.base), tuned)
        except FtbridgeError as problem:
            context.warn(f"the tuned models at {name} could not be listed: {problem.message}")


def _of_job(context: Context, job: Job, at_vendors: dict[str, tuple[Target, TunedModel]]) -> Ending | None:
    target = parse_target(job.target)
    if job.status is Status.SUCCEEDED and job.result and job.result.model:
        name = job.result.model
        _, tuned = at_vendors.get(name, (target, TunedModel(model=name, base=target.model)))
        return _of_model(context, target, tuned, job.id)
    if job.status.final:
        return None
    entry = context.entry(target)
    closes_on = entry.closes_on if job.remote_id is None else entry.facts.inference_closes_on
    fact = "training_closes_on" if closes_on == entry.facts.training_closes_on else "inference_closes_on"
    if closes_on is None:
        return None
    return Ending(
        closes_on=closes_on,
        what="job",
        name=job.id,
        target=job.target,
        job=job.id,
        source=entry.rows[fact].source,
    )


def _of_model(context: Context, target: Target, tuned: TunedModel, job: str | None) -> Ending | None:
    entry = context.entry(target)
    known = entry.facts.inference_closes_on
    closes_on = tuned.closes_on or known
    if closes_on is None:
        return None
    source = f"{account_name(target)}'s list of models" if tuned.closes_on else entry.rows["inference_closes_on"].source
    return Ending(closes_on=closes_on, what="model", name=tuned.model, target=str(target), job=job, source=source)
