"""Taking a vendor's job into the ledger, and cancelling duplicates of the same request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ftbridge.errors import FtbridgeError, InvalidRequest, JobNotFound, OverBudget, UsageError
from ftbridge.jobs.exactly_once.closing import fail
from ftbridge.jobs.polling import reported_cost
from ftbridge.jobs.steering import steer
from ftbridge.ledger import Ledger, Record
from ftbridge.model import FINAL, Event, Status, now
from ftbridge.provider import Provider, RemoteJob


def ensure_started(record: Record, found: Sequence[RemoteJob], provider: Provider, ledger: Ledger) -> list[RemoteJob]:
    """The vendor's jobs, with the oldest started; its price is checked as if it had just been created."""
    oldest, *others = found
    try:
        return [provider.start(oldest, record.job.spec), *others]
    except OverBudget as problem:
        fail(ledger, record.job.id, problem.message)
        raise


def adopt(
    record: Record, found: Sequence[RemoteJob], provider: Provider, ledger: Ledger, *, events: Sequence[Event] = ()
) -> Record:
    """Make the first of the vendor's jobs the ledger's; the others are duplicates, which are cancelled first.

    If another process has written the job meanwhile, because this one had lost its lock, the other process's job
    stays, and this one is the duplicate that is cancelled.
    """
    remote, *others = found
    duplicates = [cancel_duplicate(other, remote.remote_id, provider) for other in others]
    while True:
        adopted = ledger.change(record, [*events, *duplicates, _first_status(remote)], **_fields(record, remote))
        if adopted:
            return adopted
        record = ledger.job(record.job.id)
        if record.job.remote_id == remote.remote_id:
            return record
        if record.job.remote_id or record.job.status is Status.CANCELLED:
            return _cancel_own(record, remote, provider, ledger)


def adopt_or_cancel(
    record: Record, found: Sequence[RemoteJob], provider: Provider, ledger: Ledger, *, what: str
) -> Record:
    """Adopt the vendor's jobs and have the first go on; or cancel it there first if the job was cancelled here.

    `what` has happened, and becomes an event with what follows from it.
    """
    first = found[0]
    if record.job.status is not Status.CANCELLED:
        found = ensure_started(record, found, provider, ledger)
    elif first.status.final:
        what = f"{what}; it {first.status} before it could be cancelled: check whether it is billed"
    else:
        steer(provider, first.remote_id, provider.cancel, FINAL)
        what = f"{what}; it was cancelled there"
    event = Event(at=now(), kind="message", message=what)
    return adopt(ledger.job(record.job.id), found, provider, ledger, events=[event])


def cancel_duplicate(duplicate: RemoteJob, original: str | None, provider: Provider) -> Event:
    """Cancel a duplicate. Raises where the vendor cannot be reached, so that it is tried again."""
    what = f"{provider.name} has a second job of this request, {duplicate.remote_id}" + (
        f", beside {original}" if original else ""
    )
    if not duplicate.status.final:
        try:
            steer(provider, duplicate.remote_id, provider.cancel, FINAL)
        except InvalidRequest as problem:
            return Event(at=now(), kind="message", message=f"{what}; it could not be cancelled: {problem.message}")
        return Event(at=now(), kind="message", message=f"{what}; it was cancelled: check whether it is billed")
    return Event(
        at=now(), kind="message", message=f"{what}; its status is {duplicate.status}: check whether it is billed"
    )


def _first_status(remote: RemoteJob) -> Event:
    return Event(at=now(), kind="status", status=_open_status(remote))


def _open_status(remote: RemoteJob) -> Status:
    # a job that is over already is ended by the next poll, which brings its result, error and events
    return Status.QUEUED if remote.status.final else remote.status


def _fields(record: Record, remote: RemoteJob) -> dict[str, Any]:
    return {
        "status": _open_status(remote),
        "raw_status": remote.raw_status,
        "remote_id": remote.remote_id,
        "progress_at": now(),
        "finished_at": None,
        "error": None,
        "unclear": None,
        **reported_cost(record.job.cost, remote),
    }


def _cancel_own(record: Record, duplicate: RemoteJob, provider: Provider, ledger: Ledger) -> Record:
    """Cancel the job that this process has created although the ledger has another one, or was told to drop it."""
    try:
        event = cancel_duplicate(duplicate, record.job.remote_id, provider)
    except FtbridgeError as problem:
        what = f"{provider.name} has a second job of this request, {duplicate.remote_id}, which still costs money"
        event = Event(at=now(), kind="message", message=f"{what}: cancel it there ({problem.message})")
    while not (changed := ledger.change(record, [event])):
        record = ledger.job(record.job.id)
    return changed


def adopt_manually(record: Record, remote_id: str, provider: Provider, ledger: Ledger) -> Record:
    """Take the vendor's job of that ID for the one of `record`, because a person says so.

    One that was cancelled here is cancelled there.

    Raises `UsageError` where the ledger contradicts that, or another process is working on the job, and
    `JobNotFound` where the vendor does not have the job.
    """
    with ledger.lock(record.job.id) as locked:
        record = ledger.job(record.job.id)
        if not locked or not (record.unconfirmed or record.job.status is Status.SUBMITTING):
            raise UsageError(
                f"job {record.job.id} is {record.job.status}, and so does not need to be adopted",
                hint="`ftbridge jobs` shows the status of each job.",
            )
        if ledger.knows(record.provider, remote_id):
            raise UsageError(
                f"{remote_id} is already in the ledger", hint=f"`ftbridge show {record.provider}:{remote_id}` shows it."
            )
        if others := [job.remote_id for job in provider.find(record.job.id) if job.remote_id != remote_id]:
            raise UsageError(
                f"{record.provider} has {others[0]} with the tag of {record.job.id}",
                hint=f"`ftbridge recover` adopts that one; {remote_id} is another job.",
            )
        remote = next(iter(provider.poll([remote_id])), None)
        if remote is None:
            raise JobNotFound(f"{record.provider} has no job {remote_id}", hint="Check the id and the account's key.")
        what = f"{remote_id} was adopted for this job by hand"
        return adopt_or_cancel(record, [remote], provider, ledger, what=what)
