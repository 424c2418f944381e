"""What a job may cost: its estimate, the limit of the job, and the budget of the month."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, TypeAlias

from ftbridge.context import Context, account_name
from ftbridge.costs.billable_work import work_of
from ftbridge.costs.quote import Load, Quote, most_by_the_hour, quote
from ftbridge.costs.spending import billed_so_far, cost_so_far, hosting_of_month, month_of, never_reached_vendor
from ftbridge.dataset import TokenTally
from ftbridge.errors import NetworkError, OverBudget, ProviderError
from ftbridge.ledger import Record, find_sweep, is_trial_of
from ftbridge.model import Cost, Spec, now
from ftbridge.provider import Files, Provider
from ftbridge.target import Target, parse_target
from ftbridge.wording import counted, dollars


@dataclass(frozen=True)
class BilledTokens:
    """Observers that count what a job will be billed for, as its files are written; `None` for what is not billed."""

    training: TokenTally | None
    validation: TokenTally | None


def billed_tokens(context: Context, target: Target, spec: Spec) -> BilledTokens:
    """Counters for the job's files: none where no price is known, exact ones where a limit has to hold."""
    facts = context.entry(target).facts
    if facts.sft_usd_per_million_tokens is None:
        return BilledTokens(None, None)
    counter = context.provider(target).token_counter(target.model)
    limited = spec.max_cost_usd is not None or account_name(target) in context.config.budgets
    validated = spec.validation is not None and bool(facts.bills_validation)
    return BilledTokens(
        training=TokenTally(counter, exact=limited),
        validation=TokenTally(counter, exact=limited) if validated else None,
    )


def cost_of(context: Context, target: Target, spec: Spec, tokens: BilledTokens) -> Cost:
    """What the job of `spec` should cost, and its upper bound; unknown where no price is known.

    One that is billed by the hour costs at most all hours that it may take.
    """
    if tokens.training is None:
        return Cost(estimate_usd_high=most_by_the_hour(context.entry(target).facts))
    facts = context.entry(target).facts
    held_out = tokens.validation.count() if tokens.validation else None
    price: Quote = quote(facts, work_of(spec, tokens.training.count(), held_out), Load())
    return Cost(
        estimate_usd=price.training_usd, estimate_usd_high=price.training_usd_high, estimate_tokens=price.billed_tokens
    )


def check_cost(context: Context, target: Target, cost: Cost, limit: float | None) -> None:
    """Raises `OverBudget` where a job of that cost could exceed `limit`, or where that is not known."""
    limited = limit is not None or account_name(target) in context.config.budgets
    if context.entry(target).facts.own_machine or not limited:
        return
    high = cost.estimate_usd_high
    if high is None and cost.estimate_usd is not None:
        raise OverBudget(
            f"{target} should cost {dollars(cost.estimate_usd)}, but its upper bound is not known: the data has images",
            hint="The vendor does not say how many tokens an image is. Remove the limit, or the images.",
        )
    if high is None:
        raise OverBudget(
            f"the price of {target} is not known, so the limit cannot be checked",
            hint="Set its price in [catalogue] of ftbridge.toml, or remove the limit.",
        )
    if limit is not None and high > limit:
        raise OverBudget(
            f"the job may cost {dollars(high)}, and --max-cost is {dollars(limit)}",
            hint="Train fewer epochs or examples, or raise the limit; `ftbridge compare` shows the figures.",
        )


Check: TypeAlias = Callable[[Sequence[Record]], None]
"""Gets all jobs, while no other process can write, and raises `OverBudget` where one more would cost too much."""


def budget_check(
    context: Context, target: Target, high: float | None, *, group: str | None = None, excluding: str | None = None
) -> Check | None:
    """A check that a job of at most `high` US dollars is within the month's budget and that of the sweep `group`.

    The job with the ID `excluding` does not count. `None` where there is no budget.
    """
    if high is None or context.entry(target).facts.own_machine:
        return None
    checks = [check for check in (_month_check(context, target, high), _sweep_check(context, group, high)) if check]

    def check(records: Sequence[Record]) -> None:
        others = [record for record in records if record.job.id != excluding]
        for one in checks:
            one(others)

    return check if checks else None


def _month_check(context: Context, target: Target, high: float) -> Check | None:
    name = account_name(target)
    budget = context.config.budgets.get(name)
    if budget is None:
        return None

    def check(records: Sequence[Record]) -> None:
        use = budget_use(context, name, now().date(), records)  # by the clock that dates the jobs
        if use.spent_usd + use.reserved_usd + high > budget:
            free = f"A reservation ends when its job is billed, or proves never to have reached {name}. "
            raise OverBudget(
                f"the job may cost {dollars(high)}; of this month's {dollars(budget)} for {name}, {_used(use)}",
                hint=f"{free if use.reserved_jobs else ''}Raise the budget in [budgets] of ftbridge.toml, or wait for"
                " the next month.",
            )

    return check


def _sweep_check(context: Context, group: str | None, high: float) -> Check | None:
    sweep = find_sweep(context.ledger, group) if group else None
    if sweep is None or sweep.max_cost_usd is None:
        return None
    limit = sweep.max_cost_usd

    def check(records: Sequence[Record]) -> None:
        use = use_of(context, [record for record in records if is_trial_of(record, sweep.name)])
        if use.spent_usd + use.reserved_usd + high > limit:
            raise OverBudget(
                f"the job may cost {dollars(high)}; of the {dollars(limit)} for sweep {sweep.name}, {_used(use)}",
                hint=f"`ftbridge sweep --resume {sweep.name} --max-cost USD` raises the limit.",
            )

    return check


def price_check(context: Context, record: Record, price: float) -> Check | None:
    """`budget_check` of a job in the ledger, at the vendor's own price."""
    target = parse_target(record.job.target)
    return budget_check(context, target, price, group=record.job.group, excluding=record.job.id)


def vendor_price(provider: Provider, spec: Spec, model: str, files: Files) -> float | None:
    """The vendor's own price for the job in US dollars, now that it has the files; `None` where it gives none.

    Raises `OverBudget` where that is more than `spec.max_cost_usd`.
    """
    try:
        price = provider.estimate_cost(spec, model, files)
    except (NetworkError, ProviderError):
        if spec.max_cost_usd is not None:
            raise
        return None  # without a limit the price is not needed
    if price is not None and spec.max_cost_usd is not None and price > spec.max_cost_usd:
        raise OverBudget(
            f"{provider.name} asks {dollars(price)} for the job, and --max-cost is {dollars(spec.max_cost_usd)}",
            hint="No job was created; train fewer epochs or examples, or raise the limit.",
        )
    return price


class BudgetUse(NamedTuple):
    """What counts against a budget: US dollars that are billed, and those reserved for jobs without a bill yet."""

    spent_usd: float
    reserved_usd: float
    reserved_jobs: int


def budget_use(context: Context, name: str, day: date, records: Sequence[Record]) -> BudgetUse:
    """What this month's jobs at one provider have cost, or may, as `use_of` has it; deployed hours are spent."""
    begins, ends = month_of(day)
    of_month = [record for record in records if begins <= record.job.created_at < ends and record.provider == name]
    use = use_of(context, of_month)
    return use._replace(spent_usd=use.spent_usd + hosting_of_month(context, name, day))


def use_of(context: Context, records: Sequence[Record]) -> BudgetUse:
    """What jobs have cost, or may; one that never got to its vendor costs nothing.

    A job counts at what the vendor has billed, or else at the catalogue's price of the tokens that it has billed;
    while neither is known, the upper end of its estimate is reserved.
    """
    spent, reserved = 0.0, []
    for record in records:
        if never_reached_vendor(record):
            continue
        billed = billed_so_far(context, record.job)
        if billed is not None:
            spent += billed
        elif may_cost := cost_so_far(context, record.job):
            reserved.append(may_cost)
    return BudgetUse(spent, sum(reserved), len(reserved))


def _used(use: BudgetUse) -> str:
    reserved = f" and {dollars(use.reserved_usd)} is reserved for {counted(use.reserved_jobs, 'job')}"
    return f"{dollars(use.spent_usd)} is spent{reserved if use.reserved_jobs else ''}"
