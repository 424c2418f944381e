"""Deleting what a vendor keeps of a job: files first, and the job last, by which the rest is found again."""

from __future__ import annotations

from functools import partial

from ftbridge.context import Context
from ftbridge.deployments.listing import list_deployments
from ftbridge.deployments.reconcile import is_elsewhere
from ftbridge.errors import FtbridgeError, NotFound, UsageError
from ftbridge.jobs.request.kept_data import forget_and_delete
from ftbridge.ledger import Record, open_jobs
from ftbridge.provider import Artifact, Provider
from ftbridge.provider.paging import as_far_as_listed
from ftbridge.removal.receipt import Removal, Remover


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
    found = _artifacts(context, record, provider)
    users = _users(context, record, provider, {one.name for one in found if one.kind == "file"})
    gone: set[str] = set()
    for one in found:
        item = Removal(job=record.job.id, kind=one.kind, name=one.name, at=record.provider)
        if one.kept:
            remover.add(item.model_copy(update={"outcome": "kept", "why": one.kept}))
        elif one.name in users:
            why = f"{users[one.name]}, which is not over, needs it"
            remover.add(item.model_copy(update={"outcome": "in use", "why": why}))
        elif one.kind == "job" and any(other.outcome == "failed" for other in remover.items):
            why = "the rest has to be deleted first"
            remover.add(item.model_copy(update={"outcome": "failed", "why": why}))
        elif one.part_of is None and remover.remove(item, partial(forget_and_delete, one, provider, context.ledger)):
            gone.add(one.name)
    for one in found:
        if one.part_of and not one.kept:
            item = Removal(job=record.job.id, kind=one.kind, name=one.name, at=record.provider)
            with_it = {"outcome": "removed" if one.part_of in gone else "failed", "why": f"goes with {one.part_of}"}
            remover.add(item.model_copy(update=with_it))


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


def _users(context: Context, record: Record, provider: Provider, files: set[str]) -> dict[str, str]:
    """By file, a job that needs it and is not over: one of the ledger, or of the vendor's list."""
    users: dict[str, str] = {}
    for other in open_jobs(context.ledger):
        if other.provider == record.provider:
            names = {context.ledger.upload(provider.account, key) for key in other.keys}
            users |= dict.fromkeys(files & names, f"job {other.id}")
    try:
        for listed in as_far_as_listed(provider.jobs()):
            if not listed.remote.status.final:
                names = {listed.training_file, listed.validation_file}
                users |= dict.fromkeys(files & names, f"{record.provider}'s job {listed.remote.remote_id}")
    except FtbridgeError:  # the deletions say what is wrong
        pass
    return users
