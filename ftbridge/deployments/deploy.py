"""Having a vendor serve a model, and ending that: what may cost is in the ledger before the vendor is asked."""

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

_NEITHER_YES_NOR_NO = (BadAnswer, NetworkError, ServerTrouble)


def deploy(
    context: Context, job: Job | str, *, tier: str | None = None, max_hours: float | None = None
) -> DeploymentInfo:
    """Have the vendor serve the tuned model until `undeploy`, and return when it answers; the price is said before.

    Only for vendors that do not serve it by themselves; one that is served stays as it is. After `max_hours` hours it
    is warned of, and `watch` with `deployments` takes it down.

    Raises `UsageError` while another process deploys it. After any other error what is there is looked for: what
    the vendor has, or may have, stays in the ledger, and the error's hint says so.
    """
    record = succeeded(context, job)
    job, provider = record.job, context.provider_of(record)
    if "deploy" not in provider.capabilities.verbs:
        provider.deploy(tuned_model(job), tier=tier)  # which refuses, in its own words
    if max_hours is not None and max_hours <= 0:
        raise UsageError(f"max_hours = {max_hours:g} would be over at once", hint="Give it more than 0 hours.")
    hosting = provider.hosting_terms(tier)
    if (listed := _listed(provider, job)) is not None:
        reconcile(context, [job], listed)
        if serving := next((one for one in listed if not one.raw_status), None):
            return _as_it_is(context, job, serving, tier=tier, max_hours=max_hours)
    with context.ledger.lock(deployment_lock(job.id)) as mine:
        if not mine:
            raise UsageError(
                f"another process is deploying {job.id}", hint=f"`ftbridge show {job.id}` tells how far it is."
            )
        context.warn(price_sentence(provider.name, hourly_usd(context, job, hosting.hourly_usd), hosting, max_hours))
        return _ask(context, provider, job, hosting, tier=tier, max_hours=max_hours)


def undeploy(context: Context, job: Job | str) -> list[DeploymentInfo]:
    """Stop serving the tuned model, and paying for that; the vendor keeps the model.

    Returns what has ended by that, with what it has cost: nothing where nothing was deployed.
    """
    record = succeeded(context, job)
    job, provider = record.job, context.provider_of(record)
    before = list_deployments(context, job)
    try:
        provider.undeploy(tuned_model(job))
    except FtbridgeError as problem:
        if before:
            problem.hint = f"{problem.hint} Until it is gone it may cost: run `ftbridge undeploy {job.id}` again."
        raise
    if before and is_elsewhere(context, job.id):
        context.warn(
            f"{job.id} was made with another key, or at another address, than {provider.name} has here now:"
            " make sure that its model is not served there any more"
        )
    ended = [end_deployment(context.ledger, row, now()) for row in _open_rows(context, job)]
    return [deployment_info(context, row) for row in ended]


def _listed(provider: Provider, job: Job) -> list[Deployment] | None:
    """What the vendor has of the job's model, whoever deployed it; `None` where it cannot tell."""
    try:
        return [one for one in provider.deployments() if one.model == tuned_model(job)]
    except Unsupported:
        return None


def _as_it_is(
    context: Context, job: Job, serving: Deployment, *, tier: str | None, max_hours: float | None
) -> DeploymentInfo:
    """One that is deployed stays as it is; only after how many hours it is taken down may be new."""
    [row] = [row for row in _open_rows(context, job) if row.name == serving.name]
    stays = f"; it stays {row.tier or 'as it is'}: undeploy it before you deploy it as {tier}"
    context.warn(f"{job.id} is deployed already" + (stays if tier not in (None, row.tier) else ""))
    return deployment_info(context, change_deployment(context.ledger, row, max_hours=max_hours) if max_hours else row)


def _ask(
    context: Context, provider: Provider, job: Job, hosting: HostingTerms, *, tier: str | None, max_hours: float | None
) -> DeploymentInfo:
    model, price = tuned_model(job), hourly_usd(context, job, hosting.hourly_usd)
    known: dict[str, Any] = {"tier": tier, "hourly_usd": price, "max_hours": max_hours}
    left_open = next((row for row in _open_rows(context, job) if row.name is None), None)  # by a process that died
    if left_open:
        known["max_hours"] = max_hours or left_open.max_hours
        row = change_deployment(context.ledger, left_open, began_at=now(), **known)
    else:
        row = begin_deployment(context.ledger, job.id, model=model, began_at=now(), **known)
    try:
        made = provider.deploy(model, tier=tier)
    except KeyboardInterrupt:
        context.warn(f"{provider.name} may go on with it: `ftbridge show {job.id}` looks, `ftbridge undeploy` ends it")
        raise
    except FtbridgeError as problem:
        made = _after_trouble(context, provider, job, row, problem)
    return deployment_info(context, _confirmed(context, job, row, made, max_hours))


def _confirmed(
    context: Context, job: Job, row: DeploymentRecord, made: Deployment, max_hours: float | None
) -> DeploymentRecord:
    """The row with what the vendor has answered; it is open, whoever has believed it to be over meanwhile."""
    fields = {
        "name": made.name,
        "tier": made.tier or row.tier,
        "hourly_usd": hourly_usd(context, job, made.hourly_usd),
        "max_hours": max_hours or row.max_hours,
        "ended_at": None,
    }
    if twin := next((other for other in _open_rows(context, job) if other.name == made.name), None):
        forget_deployment(context.ledger, row)  # another look has written it down meanwhile
        row = twin
    return change_deployment(context.ledger, row, **fields)


def _after_trouble(
    context: Context, provider: Provider, job: Job, row: DeploymentRecord, problem: FtbridgeError
) -> Deployment:
    """What the vendor has in spite of the error, if it answers; else the error, with what is known of it."""
    try:
        listed = _listed(provider, job)
    except FtbridgeError:
        listed = None
    if listed:
        if not listed[0].raw_status:
            return listed[0]
        _confirmed(context, job, row, listed[0], None)
        problem.hint = (
            f"It is at {provider.name} all the same ({listed[0].raw_status}) and may cost:"
            f" `ftbridge undeploy {job.id}` removes it, `ftbridge deploy {job.id}` goes on waiting."
        )
    elif listed is None or isinstance(problem, _NEITHER_YES_NOR_NO):
        problem.hint = (
            f"It may be deployed all the same, and cost: `ftbridge show {job.id}` asks {provider.name},"
            f" `ftbridge undeploy {job.id}` makes sure that it is not."
        )
    else:
        forget_deployment(context.ledger, row)
    raise problem


def _open_rows(context: Context, job: Job) -> list[DeploymentRecord]:
    return [row for row in deployments_of(context.ledger, job.id) if row.ended_at is None]
