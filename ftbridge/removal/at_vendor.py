"""Deleting what a vendor keeps of a job: files first, and the job last, by which the rest is found again."""

from __future__ import annotations

from functools import partial

from ftbridge.context import Context
from ftbridge.deployments.listing import list_deployments
from ftbridge.deployments.reconcile import is_elsewhere
from ftbridge.errors import FtbridgeError, NotFound, Unsupported, UsageError
from ftbridge.jobs.request.kept_data import forget_and_delete
from ftbridge.ledger import Record, open_jobs
from ftbridge.provider import Artifact, Provider
from ftbridge.removal.in_use import starts_from
from ftbridge.removal.receipt import Outcome, Removal, Remover
from ftbridge.wording import clause


def check_deletable(context: Context, record: Record) -> None:
    """Raises `UsageError` where the vendor would answer for another account, or serves the model."""
    job, name = record.job, record.provider
    if is_elsewhere(context, job.id):
        raise UsageError(
            f"job {job.id} was created with another API key or base URL than those that are set now for {name}",
            hint="Set those: this account cannot delete what the other one has.",
        )
    if job.remote_id and (served := [one for one in list_deployments(context, job) if one.ended_at is None]):
        raise UsageError(
            f"the model of {job.id} is deployed as {served[0].name or served[0].model}",
            hint=f"Undeploy it first: `ftbridge undeploy {job.id}`.",
        )


def delete_at_vendor(context: Context, record: Record, remover: Remover) -> None:
    """Delete what the vendor has of the job; what its API does not delete is in the receipt, with what to do."""
    provider = context.provider_of(record)
    job = Removal(job=record.job.id, kind="job", name=record.job.remote_id or record.job.id, at=record.provider)
    found = remover.listed(job, partial(_artifacts, context, record, provider))
    if not found:
        return
    users, unknown = _users(context, record, provider, found)
    done: dict[str, Outcome] = {}
    for one in found:
        item = Removal(job=record.job.id, kind=one.kind, name=one.name, at=record.provider)
        if one.kept:
            remover.add(item.model_copy(update={"outcome": "kept", "why": one.kept}))
        elif one.name in users:
            why = f"{users[one.name]}, which is not over, needs it"
            remover.add(item.model_copy(update={"outcome": "in use", "why": why}))
        elif one.part_of is None and unknown:
            remover.add(item.model_copy(update={"outcome": "failed", "why": unknown}))
        elif one.kind == "job" and any(other.outcome == "failed" for other in remover.items):
            why = "the rest has to be deleted first"
            remover.add(item.model_copy(update={"outcome": "failed", "why": why}))
        elif one.part_of is None and remover.remove(item, partial(forget_and_delete, one, provider, context.ledger)):
            done[one.name] = remover.items[-1].outcome
    for one in found:
        if one.part_of and not one.kept and one.name not in users:
            item = Removal(job=record.job.id, kind=one.kind, name=one.name, at=record.provider)
            outcome = done.get(one.part_of, "in use" if one.part_of in users else "failed")
            remover.add(item.model_copy(update={"outcome": outcome, "why": f"goes with {one.part_of}"}))


def _artifacts(context: Context, record: Record, provider: Provider) -> list[Artifact]:
    """What the vendor lists; of a job that it does not have (any more), the files that the ledger knows."""
    if record.job.remote_id:
        try:
            return provider.artifacts(record.job.remote_id)
        except NotFound:
            pass
    keys = [key for key in (record.prepared.training, record.prepared.validation) if key]
    uploaded = {key: context.ledger.upload(provider.account, key) for key in keys}
    kept = "" if "delete" in provider.capabilities.verbs else f"{record.provider}'s API deletes nothing"
    return [Artifact(kind="file", name=name, key=key, kept=kept) for key, name in uploaded.items() if name]


def _users(context: Context, record: Record, provider: Provider, found: list[Artifact]) -> tuple[dict[str, str], str]:
    """By artifact, a job that needs it and is not over; and why others may need them, "" where none does.

    The jobs are those of the ledger, and of the vendor's list, where another home's are.
    """
    names, users = {one.name for one in found}, dict[str, str]()
    for other in open_jobs(context.ledger):
        if other.provider == record.provider:
            files = {context.ledger.upload(provider.account, key) for key in other.keys}
            used = {name for name in names if name in files or starts_from([other], record.provider, name)}
            users |= dict.fromkeys(used, f"job {other.id}")
    unknown = ""
    try:
        for listed in provider.jobs():
            if not listed.remote.status.final:
                used = names & {listed.training_file, listed.validation_file, listed.model}
                users |= dict.fromkeys(used, f"{record.provider}'s job {listed.remote.remote_id}")
    except Unsupported:  # only what the ledger knows can be known
        pass
    except FtbridgeError as problem:
        unknown = f"it is not known whether another job needs it: {clause(problem.message)}"
    # what is in use keeps the whole with which it would go
    users |= {one.part_of: users[one.name] for one in found if one.part_of and one.name in users}
    return users, unknown
