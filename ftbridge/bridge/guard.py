"""Before anything is uploaded: is the target still open, and may it cost that much?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from ftbridge.bridge.compare import work_of
from ftbridge.bridge.spending import cost_so_far, hosting_of_month, month_of, was_never_there
from ftbridge.bridge.workplace import Workplace, account_name
from ftbridge.catalogue import Entry, Load, Quote, dollars, quote, today
from ftbridge.dataset import count_tokens
from ftbridge.errors import NetworkError, OverBudget, ProviderError, ProviderRetired
from ftbridge.ledger import Record
from ftbridge.model import Cost, Method, Spec
from ftbridge.provider import Files, Provider
from ftbridge.target import Target, parse_target


def check_open(place: Workplace, target: Target, method: Method) -> None:
    """Raises `ProviderRetired` where the target takes no new jobs any more; says what will end soon.

    First by the catalogue, without a key or a network, and then by what the vendor itself says. A mock, or
    a service at another address, goes on after the vendor's end, and that is said.
    """
    provider, day = place.provider(target), today()
    if provider.at_vendor:
        _refuse_closed(place, target, place.entry(target), method)
    _ = provider.account  # without a key there is nobody to ask, and no job to write down
    entry = place.entry(target, live=True)
    if provider.at_vendor:
        _refuse_closed(place, target, entry, method)
    if closed := entry.closed_on(day):
        place.say(f"{_why(entry)} (since {closed}); {target} is not the vendor itself, and so is tried")
    else:
        _say_what_limits(place, target, entry, day)


def cost_of(place: Workplace, target: Target, spec: Spec, data: Path, validation: Path | None) -> Cost:
    """What the job of `spec` should come to, and at most; unknown where no price is known.

    `data` and `validation` are the files as they are sent. Where a limit has to hold, each of their rows is counted.
    """
    facts = place.entry(target).facts
    if facts.sft_usd_per_million_tokens is None:
        return Cost()
    counter = place.provider(target).counter(target.model)
    limited = spec.max_cost_usd is not None or account_name(target) in place.config.budgets
    count = count_tokens(data, counter, exact=limited)
    held = count_tokens(validation, counter, exact=limited) if validation and facts.bills_validation else None
    found: Quote = quote(facts, work_of(spec, count, held), Load())
    return Cost(
        estimate_usd=found.training_usd, estimate_usd_high=found.training_usd_high, estimate_tokens=found.billed_tokens
    )


def check_cost(place: Workplace, target: Target, cost: Cost, most: float | None) -> None:
    """Raises `OverBudget` where a job of that cost could exceed `most`, or nobody knows whether it could."""
    limited = most is not None or account_name(target) in place.config.budgets
    if place.entry(target).facts.own_machine or not limited:
        return
    high = cost.estimate_usd_high
    if high is None and cost.estimate_usd is not None:
        raise OverBudget(
            f"{target} should cost {dollars(cost.estimate_usd)}, and how much at most is not known: it has images",
            hint="How many tokens it makes of an image the vendor does not say. Leave the limit out, or the images.",
        )
    if high is None:
        raise OverBudget(
            f"what {target} costs is not known, and so not whether it stays within the limit",
            hint="Name its price in [catalogue] of ftbridge.toml, or leave the limit out.",
        )
    if most is not None and high > most:
        raise OverBudget(
            f"the job may cost {dollars(high)}, and --max-cost is {dollars(most)}",
            hint="Train fewer epochs or examples, or raise the limit; `ftbridge compare` shows how it comes about.",
        )


def budget_check(
    place: Workplace, target: Target, high: float | None, *, but: str | None = None
) -> Callable[[Sequence[Record]], None] | None:
    """What raises `OverBudget` where a job of at most `high` US dollars exceeds what all jobs leave of the budget.

    The job of the id `but` is not among those that count. `None` where there is nothing to keep: to read all jobs
    takes time, and is done while nobody else can write.
    """
    name = account_name(target)
    budget = place.config.budgets.get(name)
    if budget is None or high is None or place.entry(target).facts.own_machine:
        return None

    def check(records: Sequence[Record]) -> None:
        spent = spent_in(place, name, today(), [record for record in records if record.job.id != but])
        if spent + high > budget:
            raise OverBudget(
                f"the job may cost {dollars(high)}; of {dollars(budget)} for {name}, {dollars(spent)} is spent this"
                " month",
                hint="Raise it in [budgets] of ftbridge.toml, or wait for the next month.",
            )

    return check


def price_check(place: Workplace, record: Record, price: float) -> Callable[[Sequence[Record]], None] | None:
    """`budget_check` of a job that is in the ledger, at the vendor's own price."""
    return budget_check(place, parse_target(record.job.target), price, but=record.job.id)


def vendor_price(provider: Provider, spec: Spec, model: str, files: Files) -> float | None:
    """What the vendor itself, which has the files now, asks for the job in US dollars; `None` where it does not say.

    Raises `OverBudget` where that is more than `spec.max_cost_usd`.
    """
    try:
        price = provider.price(spec, model, files)
    except (NetworkError, ProviderError):
        if spec.max_cost_usd is not None:
            raise
        return None  # it is good to know, and no reason to give up
    if price is not None and spec.max_cost_usd is not None and price > spec.max_cost_usd:
        raise OverBudget(
            f"{provider.name} asks {dollars(price)} for the job, and --max-cost is {dollars(spec.max_cost_usd)}",
            hint="No job was made; train fewer epochs or examples, or raise the limit.",
        )
    return price


def spent_in(place: Workplace, name: str, day: date, records: Sequence[Record]) -> float:
    """What this month's jobs at one provider have cost, or may, in US dollars; one that never got there costs nothing.

    A job counts at what the vendor has billed, or else at the catalogue's price of the tokens that it has billed,
    or else, while neither is known, at the upper end of its estimate. Hours in which models are deployed count as well.
    """
    begins, ends = month_of(day)
    spent = 0.0
    for record in records:
        if begins <= record.job.created_at < ends and record.provider == name and not was_never_there(record):
            spent += cost_so_far(place, record.job) or 0.0
    return spent + hosting_of_month(place, name, day)


def _say_what_limits(place: Workplace, target: Target, entry: Entry, day: date) -> None:
    words = {"training": "takes new jobs", "inference": "answers from tuned models"}
    ends = entry.closing_soon(day)
    said = [f"{words[what]} until {end}, for {(end - day).days} more days" for what, end in ends.items()]
    if entry.facts.only_from:
        said.insert(0, f"takes jobs only from {entry.facts.only_from}")
    if said:
        place.say(f"{target} {', and '.join(said)}")


def _refuse_closed(place: Workplace, target: Target, entry: Entry, method: Method) -> None:
    closed = entry.closed_on(today())
    if closed is None:
        return
    others = place.catalogue.alternatives(today(), method, instead_of=str(target))
    raise ProviderRetired(
        f"{_why(entry)} ({closed}, {_sources(entry)})",
        provider=target.provider,
        hint=f"Open for {method}: {', '.join(others)}. `ftbridge compare` prices them for your data."
        if others
        else f"No installed provider is known to be open for {method}.",
    )


def _why(entry: Entry) -> str:
    return entry.facts.closing or f"{entry.provider} takes no new jobs for {entry.model}"


def _sources(entry: Entry) -> str:
    rows = [entry.rows[name] for name in ("training_closes_on", "inference_closes_on") if name in entry.rows]
    return ", ".join(dict.fromkeys(row.source for row in rows))
