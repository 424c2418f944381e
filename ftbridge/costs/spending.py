"""What jobs and deployments have cost so far, in US dollars."""

from __future__ import annotations

from datetime import UTC, date, datetime

from ftbridge.context import Context
from ftbridge.costs.quote import billed_usd
from ftbridge.ledger import DeploymentRecord, Record, deployments_since
from ftbridge.model import Job, now
from ftbridge.target import parse_target


def billed_so_far(context: Context, job: Job) -> float | None:
    """What the vendor has billed for a job, or the catalogue's price of the tokens billed; `None` while unknown."""
    cost, spec = job.cost, job.spec
    if cost.actual_usd is not None or cost.billed_tokens is None:
        return cost.actual_usd
    facts = context.entry(parse_target(job.target)).facts
    full = spec.hyperparameters.tuning == "full"
    return billed_usd(facts, spec.method, full=full, tokens=cost.billed_tokens)


def cost_so_far(context: Context, job: Job) -> float | None:
    """What is billed, and until that is known the upper end of the estimate; `None` where neither is known."""
    billed = billed_so_far(context, job)
    if billed is not None:
        return billed
    high = job.cost.estimate_usd_high
    return high if high is not None else job.cost.estimate_usd


def never_reached_vendor(record: Record) -> bool:
    """Whether the job ended before any vendor had it, and so costs nothing; an unconfirmed one may cost."""
    return record.job.status.final and record.job.remote_id is None and not record.unconfirmed


def month_of(day: date) -> tuple[datetime, datetime]:
    """The beginning of a day's month, and of the month after it, in UTC."""
    begins = datetime(day.year, day.month, 1, tzinfo=UTC)
    following = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return begins, datetime(*following, 1, tzinfo=UTC)


def hours_deployed(record: DeploymentRecord, begins: datetime, ends: datetime) -> float:
    """For how many hours between two times a model was deployed; one that is still deployed counts up to `ends`."""
    until = min(record.ended_at or ends, ends)
    return max(0.0, (until - max(record.began_at, begins)).total_seconds() / 3600)


def hosting_usd(record: DeploymentRecord, begins: datetime, ends: datetime) -> float | None:
    """What a deployment has cost between two times; `None` where its price is unknown."""
    return None if record.hourly_usd is None else record.hourly_usd * hours_deployed(record, begins, ends)


def hosting_of_month(context: Context, name: str, day: date) -> float:
    """What models deployed at the provider of that name have cost in a day's month, as far as prices are known."""
    begins, ends = month_of(day)
    rows = [row for row in deployments_since(context.ledger, begins) if context.ledger.job(row.job_id).provider == name]
    return sum(hosting_usd(row, begins, min(ends, now())) or 0.0 for row in rows)
