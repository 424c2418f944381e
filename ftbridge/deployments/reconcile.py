"""Bringing the ledger's deployments up to date with a vendor's: new ones, changed ones, ended ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from ftbridge.context import Context, account_name
from ftbridge.errors import FtbridgeError
from ftbridge.ledger import (
    DeploymentRecord,
    adopt_deployment,
    change_deployment,
    end_deployment,
    forget_deployment,
    open_deployments,
)
from ftbridge.model import Job, now
from ftbridge.provider import Deployment
from ftbridge.target import parse_target

_LISTED_WITHIN = timedelta(minutes=2)
"""How long a new deployment may be missing from the vendor's list."""


def reconcile(context: Context, jobs: Iterable[Job], listed: Sequence[Deployment]) -> None:
    """Update the ledger's rows of the jobs' models with the deployments that their vendor lists."""
    rows: dict[str, list[DeploymentRecord]] = {}
    for row in open_deployments(context.ledger):
        rows.setdefault(row.job_id, []).append(row)
    for job in jobs:
        model = job.result.model if job.result else None
        listed_here = {one.name: one for one in listed if one.model == model}
        for row in sorted(rows.get(job.id, ()), key=lambda row: row.name is None):
            name = row.name or next(iter(listed_here), None)
            if name in listed_here:
                _confirm(context, job, row, listed_here.pop(name))
            else:
                _missing(context, job, row)
        for one in listed_here.values():
            known = {"model": one.model, "tier": one.tier, "hourly_usd": hourly_usd(context, job, one.hourly_usd)}
            adopt_deployment(context.ledger, job.id, name=one.name, began_at=one.began_at or now(), **known)


def hourly_usd(context: Context, job: Job, adapters: float | None) -> float | None:
    """The price of an hour: the user's own where hours are billed and the catalogue has it, else the adapter's."""
    own = context.entry(parse_target(job.target)).facts.hosting_usd_per_hour
    return own if adapters and own else adapters


def deployment_lock(job_id: str) -> str:
    """The name of the lock that a process holds while it deploys the job's model."""
    return f"{job_id}-deployment"


def is_elsewhere(context: Context, job_id: str) -> bool:
    """Whether the job was created with another API key or base URL than the provider has now, if any."""
    record = context.ledger.job(job_id)
    try:
        return record.account not in (None, context.provider_named(record.provider).account)
    except FtbridgeError:
        return True


def removed_at(context: Context, name: str, tier: str | None, began_at: datetime | None) -> datetime | None:
    """When the vendor called `name` removes a deployment by itself."""
    try:
        hours = context.provider_named(name).hosting_terms(tier).removed_after_hours
    except FtbridgeError:  # a tier that ftbridge does not know, or a provider that is not installed here
        return None
    return began_at + timedelta(hours=hours) if hours and began_at else None


def _confirm(context: Context, job: Job, row: DeploymentRecord, one: Deployment) -> None:
    known: dict[str, Any] = {"name": one.name, "tier": one.tier or row.tier}
    known["began_at"] = min(row.began_at, one.began_at or row.began_at)
    if row.name is None or known["tier"] != row.tier:
        known["hourly_usd"] = hourly_usd(context, job, one.hourly_usd)
    if any(getattr(row, field) != value for field, value in known.items()):
        change_deployment(context.ledger, row, **known)


def _missing(context: Context, job: Job, row: DeploymentRecord) -> None:
    """End, or forget, a deployment that the vendor does not list.

    Not while a process is deploying it, nor just after that; and not if it belongs to another account.
    """
    with context.ledger.lock(deployment_lock(job.id)) as locked:
        if not locked or now() - row.began_at < _LISTED_WITHIN or is_elsewhere(context, job.id):
            return
        if row.name is None:
            forget_deployment(context.ledger, row)
            return
        by_itself = removed_at(context, account_name(parse_target(job.target)), row.tier, row.began_at)
        end_deployment(context.ledger, row, min(by_itself or now(), now()))
