"""The ledger's deployments brought up to what a vendor says: what is there, what has ended, what nobody wrote down."""

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
"""How long a deployment that was asked for may stay out of the vendor's list."""


def reconcile(context: Context, jobs: Iterable[Job], listed: Sequence[Deployment]) -> None:
    """Write down what the vendor of `jobs` says of their models: what is there, and what is there no more."""
    rows: dict[str, list[DeploymentRecord]] = {}
    for row in open_deployments(context.ledger):
        rows.setdefault(row.job_id, []).append(row)
    for job in jobs:
        model = job.result.model if job.result else None
        there = {one.name: one for one in listed if one.model == model}
        for row in sorted(rows.get(job.id, ()), key=lambda row: row.name is None):
            name = row.name or next(iter(there), None)
            if name in there:
                _confirm(context, job, row, there.pop(name))
            else:
                _gone(context, job, row)
        for one in there.values():
            known = {"model": one.model, "tier": one.tier, "hourly_usd": hourly_usd(context, job, one.hourly_usd)}
            adopt_deployment(context.ledger, job.id, name=one.name, began_at=one.began_at or now(), **known)


def hourly_usd(context: Context, job: Job, told: float | None) -> float | None:
    """The price of an hour: the adapter's, or where that is one by the hour the user's own, if there is one."""
    own = context.entry(parse_target(job.target)).facts.hosting_usd_per_hour
    return own if told and own else told


def deployment_lock(job_id: str) -> str:
    """The name of the lock that whoever deploys a job's model holds."""
    return f"{job_id}-deployment"


def is_elsewhere(context: Context, job_id: str) -> bool:
    """Whether the job was made with another key, or at another address, than the provider has now, if any."""
    record = context.ledger.job(job_id)
    try:
        return record.account not in (None, context.provider_named(record.provider).account)
    except FtbridgeError:
        return True


def removed_at(context: Context, name: str, tier: str | None, began_at: datetime | None) -> datetime | None:
    """When the vendor called `name` takes a deployment down by itself."""
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


def _gone(context: Context, job: Job, row: DeploymentRecord) -> None:
    """The vendor does not list it: it has ended, or never began.

    Not so while somebody deploys it, or has asked a moment ago; nor where another account was asked than it is at.
    """
    with context.ledger.lock(deployment_lock(job.id)) as mine:
        if not mine or now() - row.began_at < _LISTED_WITHIN or is_elsewhere(context, job.id):
            return
        if row.name is None:
            forget_deployment(context.ledger, row)
            return
        by_itself = removed_at(context, account_name(parse_target(job.target)), row.tier, row.began_at)
        end_deployment(context.ledger, row, min(by_itself or now(), now()))
