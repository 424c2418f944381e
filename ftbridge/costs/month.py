"""What a month has cost, by vendor, target, owner or group: training and hosting, and whether a part is unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Literal

from ftbridge.catalogue import today
from ftbridge.context import Context, account_name
from ftbridge.costs.spending import billed_so_far, cost_so_far, hosting_usd, month_of, never_reached_vendor
from ftbridge.ledger import DeploymentRecord, deployments_since
from ftbridge.model import Frozen, Job, now
from ftbridge.target import parse_target

By = Literal["vendor", "target", "owner", "group"]


class Amount(Frozen):
    """US dollars: `usd` is the sum, `None` if a part is unknown, and `partial_total_usd` the sum of what is known."""

    usd: float | None = 0.0
    partial_total_usd: float = 0.0

    def __add__(self, other: Amount) -> Amount:
        whole = None if self.usd is None or other.usd is None else self.usd + other.usd
        return Amount(usd=whole, partial_total_usd=self.partial_total_usd + other.partial_total_usd)


class Costs(Frozen):
    """What the jobs of one vendor, target, owner or group have cost in a month; `name` is `None` where it has none.

    A job belongs to the month in which it was created. `estimated` is by the catalogue, `billed` what the vendors
    report, `hosting` the price of the hours in which models were deployed. `total` is hosting and, of each job,
    what is billed or else the upper end of its estimate, as budgets count it. Of `jobs`, `own_machine_jobs` ran on the
    user's own machine, and cost no vendor's fee. Jobs at mocks have rows of their own, which are `mocked`: what the
    vendors would take, and nobody pays. `budget_usd` is the vendor's.
    """

    name: str | None
    mocked: bool = False
    jobs: int = 0
    own_machine_jobs: int = 0
    estimated: Amount = Amount()
    billed: Amount = Amount()
    hosting: Amount = Amount()
    total: Amount = Amount()
    budget_usd: float | None = None


def costs_of_month(context: Context, day: date | None = None, *, by: By = "vendor") -> list[Costs]:
    """What the month of `day`, or this one, has cost by vendor, target, owner or group; the most expensive first.

    A vendor with a budget has a row even if it cost nothing.
    """
    begins, ends = month_of(day or today())
    name_of = _NAMES[by]
    records = {record.job.id: record for record in context.ledger.jobs()}
    rows: dict[tuple[str | None, bool], Costs] = {}
    if by == "vendor":
        for name, budget in context.config.budgets.items():
            mocked = name.startswith("mock+")
            rows[name, mocked] = Costs(name=name, mocked=mocked, budget_usd=budget)

    def add(job: Job, more: Costs) -> None:
        key = name_of(job), parse_target(job.target).mocked
        rows[key] = _sum(*key, (rows.get(key, Costs(name=key[0])), more))

    for record in records.values():
        if begins <= record.job.created_at < ends and not never_reached_vendor(record):
            add(record.job, _of_job(context, record.job))
    for deployment in deployments_since(context.ledger, begins):
        if deployment.began_at < min(ends, now()):
            add(records[deployment.job_id].job, _of_deployment(deployment, begins, min(ends, now())))
    return sorted(rows.values(), key=lambda row: (-row.total.partial_total_usd, row.name or ""))


def total_of(rows: Iterable[Costs]) -> Costs:
    """All rows but the mocked ones as one; it has no budget, because budgets are the vendors' own."""
    return _sum(None, False, (row for row in rows if not row.mocked))


_NAMES: dict[By, Callable[[Job], str | None]] = {
    "vendor": lambda job: account_name(parse_target(job.target)),
    "target": lambda job: job.target,
    "owner": lambda job: job.owner,
    "group": lambda job: job.group,
}


def _of_job(context: Context, job: Job) -> Costs:
    if context.entry(parse_target(job.target)).facts.own_machine:
        return Costs(name=None, jobs=1, own_machine_jobs=1)
    cost = _amount(cost_so_far(context, job))
    billed = _amount(billed_so_far(context, job))
    return Costs(name=None, jobs=1, estimated=_amount(job.cost.estimate_usd), billed=billed, total=cost)


def _of_deployment(record: DeploymentRecord, begins: datetime, ends: datetime) -> Costs:
    cost = _amount(hosting_usd(record, begins, ends))
    return Costs(name=None, hosting=cost, total=cost)


def _amount(usd: float | None) -> Amount:
    return Amount(usd=usd, partial_total_usd=usd or 0.0)


def _sum(name: str | None, mocked: bool, rows: Iterable[Costs]) -> Costs:
    whole = Costs(name=name, mocked=mocked)
    for row in rows:
        whole = Costs(
            name=name,
            mocked=mocked,
            jobs=whole.jobs + row.jobs,
            own_machine_jobs=whole.own_machine_jobs + row.own_machine_jobs,
            estimated=whole.estimated + row.estimated,
            billed=whole.billed + row.billed,
            hosting=whole.hosting + row.hosting,
            total=whole.total + row.total,
            budget_usd=whole.budget_usd if row.budget_usd is None else row.budget_usd,
        )
    return whole
