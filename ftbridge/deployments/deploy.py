"""Deploying and undeploying models: what may cost money is in the ledger before the vendor is asked."""

from __future__ import annotations

from typing import Any

from ftbridge.context import Context
from ftbridge.deployments.listing import DeploymentInfo, deployment_info, list_deployments
from ftbridge.deployments.reconcile import deployment_lock, hourly_usd, is_elsewhere, reconcile
from ftbridge.deployments.wording import price_sentence
from ftbridge.errors import BadAnswer, FtbridgeError, NetworkError, ServerTrouble, Unsupported, UsageError
from ftbridge.jobs.listing import succeeded
from ftbridge.jobs.results import tuned_model
from ftbridge.ledger import (
    DeploymentRecord,
    begin_deployment,
    change_deployment,
    deployments_of,
    end_deployment,
    forget_deployment,
)
from ftbridge.model import Job, now
from ftbridge.provider import Deployment, HostingTerms, Provider

_UNCLEAR = (BadAnswer, NetworkError, ServerTrouble)


def deploy(
    context: Context, job: Job | str, *, tier: str | None = None, max_hours: float | None = None
) -> DeploymentInfo:
    """Have the vendor serve the tuned model until `undeploy`, and return when it answers; warns of the price before.

    Only for vendors that do not serve tuned models by themselves; a model that is already deployed does not change.
    After `max_hours` hours there are warnings, and `watch` with `deployments` undeploys it.

    Raises `UsageError` while another process deploys it. After any other error the vendor's deployments are listed:
    what the vendor has, or may have, stays in the ledger, and the error's hint says so.
    """
    record = succeeded(context, job)
    job, provider = record.job, context.provider_of(record)
    if "deploy" not in provider.capabilities.verbs:
        provider.deploy(tuned_model(job), tier=tier)  # raises Unsupported
    if max_hours is not None and max_hours <= 0:
        raise UsageError(f"max_hours = {max_hours:g} would be over at once", hint="Give it more than 0 hours.")
    hosting = provider.hosting_terms(tier)
    if (listed := _listed(provider, job)) is not None:
        reconcile(context, [job], listed)
        if serving := next((one for one in listed if not one.raw_status), None):
            return _already_deployed(context, job, serving, tier=tier, max_hours=max_hours)
    with context.ledger.lock(deployment_lock(job.id)) as locked:
        if not locked:
            raise UsageError(
                f"another process is deploying {job.id}", hint=f"`ftbridge show {job.id}` shows its state."
            )
        context.warn(price_sentence(provider.name, hourly_usd(context, job, hosting.hourly_usd), hosting, max_hours))
        return _deploy(context, provider, job, hosting, tier=tier, max_hours=max_hours)


def undeploy(context: Context, job: Job | str) -> list[DeploymentInfo]:
    """Stop serving the tuned model, and paying for it; the vendor keeps the model.

    Returns the deployments that ended by this, with what they have cost; none if nothing was deployed.
    """
    record = succeeded(context, job)
    job, provider = record.job, context.provider_of(record)
    before = list_deployments(context, job)
    try:
        provider.undeploy(tuned_model(job))
    except FtbridgeError as problem:
        if before:
            again = f"It may cost money until it is undeployed: run `ftbridge undeploy {job.id}` again."
            problem.hint = f"{problem.hint} {again}".strip()
        raise
    if before and is_elsewhere(context, job.id):
        context.warn(
            f"{job.id} was created with another API key or base URL than the one set now for {provider.name}:"
            " make sure that its model is no longer served there"
        )
    ended = [end_deployment(context.ledger, row, now()) for row in _open_rows(context, job)]
    return [deployment_info(context, row) for row in ended]


def _listed(provider: Provider, job: Job) -> list[Deployment] | None:
    """The vendor's deployments of the job's model, whoever deployed it; `None` where it cannot list them."""
    try:
        return [one for one in provider.deployments() if one.model == tuned_model(job)]
    except Unsupported:
        return None


def _already_deployed(
    context: Context, job: Job, serving: Deployment, *, tier: str | None, max_hours: float | None
) -> DeploymentInfo:
    """The deployment that exists; only its `max_hours` can change."""
    [row] = [row for row in _open_rows(context, job) if row.name == serving.name]
    stays = f"; it stays {row.tier or 'unchanged'}: undeploy it before you deploy it as {tier}"
    context.warn(f"{job.id} is already deployed" + (stays if tier not in (None, row.tier) else ""))
    return deployment_info(context, change_deployment(context.ledger, row, max_hours=max_hours) if max_hours else row)


def _deploy(
    context: Context, provider: Provider, job: Job, hosting: HostingTerms, *, tier: str | None, max_hours: float | None
) -> DeploymentInfo:
    model, price = tuned_model(job), hourly_usd(context, job, hosting.hourly_usd)
    known: dict[str, Any] = {"tier": tier, "hourly_usd": price, "max_hours": max_hours}
    left_open = next((row for row in _open_rows(context, job) if row.name is None), None)  # left by a process that died
    if left_open:
        known["max_hours"] = max_hours or left_open.max_hours
        row = change_deployment(context.ledger, left_open, began_at=now(), **known)
    else:
        row = begin_deployment(context.ledger, job.id, model=model, began_at=now(), **known)
    try:
        made = provider.deploy(model, tier=tier)
    except KeyboardInterrupt:
        context.warn(
            f"{provider.name} may go on with it: `ftbridge show {job.id}` checks, `ftbridge undeploy {job.id}` ends it"
        )
        raise
    except FtbridgeError as problem:
        made = _after_trouble(context, provider, job, row, problem)
    return deployment_info(context, _confirmed(context, job, row, made, max_hours))


def _confirmed(
    context: Context, job: Job, row: DeploymentRecord, made: Deployment, max_hours: float | None
) -> DeploymentRecord:
    """The row with the vendor's answer; it is open, even if another process has ended it meanwhile."""
    fields = {
        "name": made.name,
        "tier": made.tier or row.tier,
        "hourly_usd": hourly_usd(context, job, made.hourly_usd),
        "max_hours": max_hours or row.max_hours,
        "ended_at": None,
    }
    if duplicate := next((other for other in _open_rows(context, job) if other.name == made.name), None):
        forget_deployment(context.ledger, row)  # another process has written it meanwhile
        row = duplicate
    return change_deployment(context.ledger, row, **fields)


def _after_trouble(
    context: Context, provider: Provider, job: Job, row: DeploymentRecord, problem: FtbridgeError
) -> Deployment:
    """The deployment, if there is one in spite of the error; otherwise raises the error, with a hint of what may be."""
    try:
        listed = _listed(provider, job)
    except FtbridgeError:
        listed = None
    if listed:
        if not listed[0].raw_status:
            return listed[0]
        _confirmed(context, job, row, listed[0], None)
        problem.hint = (
            f"{provider.name} has it all the same ({listed[0].raw_status}), and it may cost money:"
            f" `ftbridge undeploy {job.id}` removes it, `ftbridge deploy {job.id}` goes on waiting."
        )
    elif listed is None or isinstance(problem, _UNCLEAR):
        problem.hint = (
            f"It may be deployed all the same, and cost money: `ftbridge show {job.id}` asks {provider.name},"
            f" `ftbridge undeploy {job.id}` makes sure that it is not."
        )
    else:
        forget_deployment(context.ledger, row)
    raise problem


def _open_rows(context: Context, job: Job) -> list[DeploymentRecord]:
    return [row for row in deployments_of(context.ledger, job.id) if row.ended_at is None]
