"""Listing deployments: the ledger's rows, brought up to date with what the vendors report now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ftbridge.context import Context, account_name
from ftbridge.costs.quote import HOURS_A_MONTH
from ftbridge.costs.spending import hosting_usd, hours_deployed
from ftbridge.deployments.reconcile import is_elsewhere, reconcile, removed_at
from ftbridge.errors import BrokenPlugin, ConfigError, FtbridgeError, MissingExtra, Unsupported
from ftbridge.ledger import DeploymentRecord, deployments_of, open_deployments, succeeded_targets
from ftbridge.model import Frozen, Job, Status, now
from ftbridge.plugins import provider_names
from ftbridge.provider import Deployment
from ftbridge.target import parse_target


class DeploymentInfo(Frozen):
    """A deployed model, with what it costs; `job` is `None` for one that no job of the ledger has made.

    `name` is the vendor's; `None` while it is not known whether the vendor has it. `hourly_usd` is 0 where no hours
    are billed and `None` where the price is unknown, and so are `cost_usd`, which is what it has cost so far, and
    `monthly_usd`, what it comes to if it stays. `hours` are those since `began_at`, until now or `ended_at`. The
    vendor removes it by itself at `removed_at`, if ever. `raw_status` is the vendor's word for why it does not answer,
    or not yet.
    """

    job: str | None
    provider: str
    name: str | None
    model: str
    tier: str | None = None
    hourly_usd: float | None = None
    max_hours: float | None = None
    began_at: datetime | None = None
    ended_at: datetime | None = None
    removed_at: datetime | None = None
    hours: float | None = None
    cost_usd: float | None = None
    monthly_usd: float | None = None
    raw_status: str = ""

    @property
    def hours_over(self) -> float:
        """By how many hours it has been deployed longer than `max_hours`; 0 if it has not."""
        if self.max_hours is None or self.hours is None or self.ended_at is not None:
            return 0.0
        return max(0.0, self.hours - self.max_hours)

    @property
    def costs_by_the_hour(self) -> bool:
        """Whether it costs money by the hour, as far as is known."""
        return self.ended_at is None and self.hourly_usd != 0


def deployment_info(context: Context, record: DeploymentRecord, raw_status: str = "") -> DeploymentInfo:
    """A row of the ledger with what it costs up to now."""
    provider, at = context.ledger.job(record.job_id).provider, now()
    price = record.hourly_usd
    return DeploymentInfo(
        job=record.job_id,
        provider=provider,
        **record.model_dump(exclude={"job_id", "number"}),
        removed_at=removed_at(context, provider, record.tier, record.began_at),
        hours=hours_deployed(record, record.began_at, at),
        cost_usd=hosting_usd(record, record.began_at, at),
        monthly_usd=None if price is None or record.ended_at else price * HOURS_A_MONTH,
        raw_status=raw_status,
    )


def past_deployments(context: Context, job: Job | str) -> list[DeploymentInfo]:
    """The deployments of the job's model that have ended, as the ledger has them, oldest first."""
    rows = deployments_of(context.ledger, context.record(job).job.id)
    return [deployment_info(context, row) for row in rows if row.ended_at]


def jobs_with_max_hours(context: Context) -> set[str]:
    """The jobs whose models are deployed with `max_hours`, and are to be undeployed after them."""
    return {row.job_id for row in open_deployments(context.ledger) if row.max_hours}


def list_deployments(
    context: Context, *jobs: Job | str, offline: bool = False, everywhere: bool = False
) -> list[DeploymentInfo]:
    """What is, or may be, deployed now, with what it costs, oldest first: of those jobs, or of all.

    Without `jobs`, deployments of models that no job here has made are listed as well.

    Asks the vendors of jobs that can be deployed, with `everywhere` every vendor whose key is set, and with `offline`
    none. Changes are written into the ledger. For a vendor that cannot be asked there is a warning, and the ledger's
    rows are returned.
    """
    chosen = [context.record(job).job for job in jobs]
    by_provider: dict[str, list[Job]] = {}
    for job in chosen or _deployable_jobs(context):
        by_provider.setdefault(account_name(parse_target(job.target)), []).append(job)
    found: list[DeploymentInfo] = []
    for name in sorted({*by_provider, *(provider_names() if everywhere else ())}):
        own = by_provider.get(name, [])
        listed = None if offline else _list_at_vendor(context, name, own, everywhere=everywhere)
        if listed is not None:
            reconcile(context, own, listed)
            found += [] if chosen else _of_no_job(context, name, own, listed)
        ids = {job.id for job in own}
        open_rows = [row for row in open_deployments(context.ledger) if row.job_id in ids]
        found += [deployment_info(context, row, _state(context, row, listed)) for row in open_rows]
    return sorted(found, key=lambda info: info.began_at or now())


def _deployable_jobs(context: Context) -> list[Job]:
    """The jobs with a model, at providers where models are deployed; fast for ledgers without any."""
    names = {account_name(parse_target(target)) for target in succeeded_targets(context.ledger)}
    deploying = {name for name in names if _deploys(context, name)}
    records = context.ledger.jobs(Status.SUCCEEDED) if deploying else []
    return [record.job for record in records if record.provider in deploying]


def _deploys(context: Context, name: str) -> bool:
    try:
        return "deploy" in context.provider_named(name).capabilities.verbs
    except FtbridgeError:  # a provider that is not installed here
        return False


def _list_at_vendor(context: Context, name: str, jobs: Sequence[Job], *, everywhere: bool) -> list[Deployment] | None:
    """The vendor's deployments; `None` where it cannot be asked, with a warning if that matters."""
    try:
        if not _deploys(context, name):
            return None
        provider = context.provider_named(name)
        if not jobs:
            _ = provider.account  # raises without a key, which needs no warning
        return list(provider.deployments())
    except Unsupported:
        return None
    except FtbridgeError as problem:
        ids = {job.id for job in jobs}
        matters = any(row.job_id in ids for row in open_deployments(context.ledger))
        if matters or (everywhere and not isinstance(problem, BrokenPlugin | ConfigError | MissingExtra)):
            context.warn(f"{name} could not be asked what it serves now: {problem.message}")
        return None


def _state(context: Context, row: DeploymentRecord, listed: Sequence[Deployment] | None) -> str:
    """The vendor's word for why it does not answer; for another account, that it was not checked."""
    if listed is None or row.name is None:
        return ""
    states = {one.name: one.raw_status for one in listed}
    if row.name not in states and is_elsewhere(context, row.job_id):
        return "not checked with the API key that it was created with"
    return states.get(row.name, "")


def _of_no_job(context: Context, name: str, jobs: Sequence[Job], listed: Sequence[Deployment]) -> list[DeploymentInfo]:
    """The vendor's deployments of models that no job of the ledger has made."""
    made = {job.result.model for job in jobs if job.result}
    return [_foreign(context, name, one) for one in listed if one.model not in made]


def _foreign(context: Context, name: str, one: Deployment) -> DeploymentInfo:
    hours = (now() - one.began_at).total_seconds() / 3600 if one.began_at else None
    price = one.hourly_usd
    return DeploymentInfo(
        job=None,
        provider=name,
        **one.model_dump(),
        removed_at=removed_at(context, name, one.tier, one.began_at),
        hours=hours,
        cost_usd=None if price is None or hours is None else price * hours,
        monthly_usd=None if price is None else price * HOURS_A_MONTH,
    )
