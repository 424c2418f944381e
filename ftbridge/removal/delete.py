"""`delete`: removes what one job has left on this machine and, if asked, at its vendor."""

from __future__ import annotations

from functools import partial
from typing import Any

from ftbridge.context import Context
from ftbridge.errors import UsageError
from ftbridge.files import remove
from ftbridge.jobs.deleted import deletion_of, deletions
from ftbridge.jobs.listing import refresh
from ftbridge.jobs.request.kept_data import forget_and_delete, unneeded_files, unneeded_leftovers
from ftbridge.ledger import Record, open_jobs
from ftbridge.model import Event, Job, now
from ftbridge.removal.answers import remove_answers
from ftbridge.removal.at_vendor import check_deletable, delete_at_vendor
from ftbridge.removal.evaluations import remove_evaluations_of
from ftbridge.removal.in_home import imported_folder
from ftbridge.removal.in_use import starts_from, starts_from_result
from ftbridge.removal.receipt import WORDS, Receipt, Removal, Remover


def delete(
    context: Context, job: Job | str, *, at_vendor: bool = False, result: bool = False, dry_run: bool = False
) -> Receipt:
    """Remove what a job that is over has left: data, checkpoints, logs, answers, evaluations; the ledger keeps the job.

    With `at_vendor` also the vendor's files, checkpoints and model, and with `result` the result of a job that was
    trained on this machine. Raises `UsageError` for a job that is not over, or whose model is deployed, or is the base
    of an open job. A file that another open job needs stays, and what could not be deleted is in the receipt: the same
    command goes on.
    """
    record = context.record(job)
    if not record.job.status.final:
        record = context.record(refresh(context, record.job)[0])
    _check_over(record)
    provider = context.provider_of(record)
    with_model = result if provider.keeps_jobs_at_home else at_vendor
    if with_model:
        _check_model_unused(context, record)
    remover = Remover(dry_run=dry_run)
    if at_vendor and not provider.keeps_jobs_at_home:
        check_deletable(context, record)
    _delete_here(context, record, remover, result=result)
    if at_vendor and not provider.keeps_jobs_at_home:
        delete_at_vendor(context, record, remover)
    receipt = remover.receipt()
    if dry_run:
        return _without_deleted(context, record, receipt)
    _write_down(context, record, receipt)
    return receipt


def _check_over(record: Record) -> None:
    job = record.job
    if record.is_unclear:
        raise UsageError(
            f"it is not known whether {record.provider} has job {job.id}, so nothing of it is deleted",
            hint=f"`ftbridge recover {job.id}` finds out.",
        )
    if not job.status.final:
        raise UsageError(
            f"job {job.id} is {job.status}, and needs its data", hint=f"Cancel it first: `ftbridge cancel {job.id}`."
        )


def _check_model_unused(context: Context, record: Record) -> None:
    """An open job may start from the model, which may not have been read yet."""
    if other := starts_from_result(open_jobs(context.ledger), record):
        raise UsageError(
            f"job {other.id}, which is not over, starts from the model of {record.job.id}",
            hint=f"Wait for it, or cancel it first: `ftbridge cancel {other.id}`.",
        )


def _delete_here(context: Context, record: Record, remover: Remover, *, result: bool) -> None:
    """The job's files in the home, except those that an open job needs as well."""
    job, provider = record.job, context.provider_of(record)
    keys = {key for key in (record.prepared.training, record.prepared.validation) if key}
    with unneeded_files(context.home.absolute(), context.ledger) as files:
        for file in files or ():
            if file.stem in keys:
                remover.remove(Removal(job=job.id, kind="data", name=str(file)), partial(remove, file))
    if job.result and job.result.model:
        remove_answers(context, remover, job=job.id, model=job.result.model)
    remove_evaluations_of(context, remover, job.id)
    needed = open_jobs(context.ledger)
    folder = imported_folder(context.home, record)
    if folder and folder.exists() and not any(other.spec.data.is_relative_to(folder) for other in needed):
        remover.remove(Removal(job=job.id, kind="data", name=str(folder)), partial(remove, folder))
    if not provider.keeps_jobs_at_home or not job.remote_id:
        return
    found = remover.listed(Removal(job=job.id, kind="job", name=job.id), partial(provider.artifacts, job.remote_id))
    leftovers = unneeded_leftovers(provider, record.provider, needed)
    found += [one for one in leftovers if one.kind == "cache"]  # which does not say of which rows it is
    for one in found:
        item = Removal(job=job.id, kind=one.kind, name=one.name)
        user = next((other for other in needed if one.key in other.keys), None)
        user = user or starts_from(needed, record.provider, one.name)
        if one.kind == "model" and not result:
            remover.add(item.model_copy(update={"outcome": "kept", "why": "it is the result: --result deletes it"}))
        elif user:
            remover.add(item.model_copy(update={"outcome": "in use", "why": f"job {user.id} needs it"}))
        else:
            remover.remove(item, partial(forget_and_delete, one, provider, context.ledger))


def _without_deleted(context: Context, record: Record, receipt: Receipt) -> Receipt:
    """The receipt of a dry run, in which what was deleted at the vendor, whose list may still have it, is gone."""
    told = _told(context, record)
    items = (
        item.model_copy(update={"outcome": "gone"})
        if item.at and item.outcome == "to be removed" and _event(item).message in told
        else item
        for item in receipt.items
    )
    return receipt.model_copy(update={"items": tuple(items)})


def _told(context: Context, record: Record) -> set[str | None]:
    return {event.message for event in deletions(event for _number, event in context.ledger.events(record.job.id))}


def _write_down(context: Context, record: Record, receipt: Receipt) -> None:
    """Add what was done to the job's events; a job without its model is no answer to the same request any more.

    Its idempotency key stays, because the key stands for this job for ever.
    """
    told = _told(context, record)
    events = [_event(item) for item in receipt.items if item.outcome in ("removed", "failed")]
    gone = [_event(item) for item in receipt.items if item.outcome == "gone"]
    events += [event for event in gone if event.message not in told]  # the process that removed it may have died
    without_model = any(item.kind == "model" and item.outcome in ("removed", "gone") for item in receipt.items)
    fields: dict[str, Any] = {"request_hash": ""} if without_model else {}
    while (events or fields) and context.ledger.change(record, events, **fields) is None:
        record = context.ledger.job(record.job.id)


def _event(item: Removal) -> Event:
    what = f"{WORDS[item.kind]} {item.name}" + (f" at {item.at}" if item.at else "")
    if item.outcome == "failed":
        return Event(at=now(), kind="message", message=f"{what} could not be deleted: {item.why}")
    return deletion_of(what)
