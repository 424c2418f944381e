"""Making a vendor's job the ledger's: the one that was found, and no second one beside it."""

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
    """The vendor's jobs, the oldest of which runs now; its price is judged as if it had just been made."""
    oldest, *others = found
    try:
        return [provider.start(oldest, record.job.spec), *others]
    except OverBudget as problem:
        fail(ledger, record.job.id, problem.message)
        raise


def adopt(
    record: Record, found: Sequence[RemoteJob], provider: Provider, ledger: Ledger, *, events: Sequence[Event] = ()
) -> Record:
    """Make the oldest of the vendor's jobs the ledger's; whatever else was made is cancelled first, and told.

    Where somebody else has written the job meanwhile, because this process had lost its lock, what they have made
    stays, and this one is the second that is cancelled.
    """
    remote, *others = found
    told = [cancel_duplicate(other, remote.remote_id, provider) for other in others]
    while True:
        adopted = ledger.change(record, [*events, *told, _begun(remote)], **_fields(record, remote))
        if adopted:
            return adopted
        record = ledger.job(record.job.id)
        if record.job.remote_id == remote.remote_id:
            return record
        if record.job.remote_id or record.job.status is Status.CANCELLED:
            return _give_way(record, remote, provider, ledger)


def cancel_duplicate(double: RemoteJob, kept: str | None, provider: Provider) -> Event:
    """Stop a job that should not be there. Raises where the vendor cannot be asked, so that it is tried again."""
    what = f"{provider.name} has a second job of this one request, {double.remote_id}" + (
        f", beside {kept}" if kept else ""
    )
    if not double.status.final:
        try:
            steer(provider, double.remote_id, provider.cancel, FINAL)
        except InvalidRequest as problem:
            return Event(at=now(), kind="message", message=f"{what}; it could not be cancelled: {problem.message}")
        return Event(at=now(), kind="message", message=f"{what}; it was cancelled, look whether it is billed")
    return Event(at=now(), kind="message", message=f"{what}; it {double.status} already, look whether it is billed")


def _begun(remote: RemoteJob) -> Event:
    return Event(at=now(), kind="status", status=_standing(remote))


def _standing(remote: RemoteJob) -> Status:
    # a job that is over already is ended by the next look at it, which brings its result, error and events along
    return Status.QUEUED if remote.status.final else remote.status


def _fields(record: Record, remote: RemoteJob) -> dict[str, Any]:
    return {
        "status": _standing(remote),
        "raw_status": remote.raw_status,
        "remote_id": remote.remote_id,
        "progress_at": now(),
        "finished_at": None,
        "error": None,
        "unclear": None,
        **reported_cost(record.job.cost, remote),
    }


def _give_way(record: Record, double: RemoteJob, provider: Provider, ledger: Ledger) -> Record:
    """Cancel the job that this process has made although the ledger knows of another one, or of none that is wanted."""
    try:
        event = cancel_duplicate(double, record.job.remote_id, provider)
    except FtbridgeError as problem:
        what = f"{provider.name} has a second job of this one request, {double.remote_id}, which is still paid for"
        event = Event(at=now(), kind="message", message=f"{what}: cancel it there ({problem.message})")
    while not (changed := ledger.change(record, [event])):
        record = ledger.job(record.job.id)
    return changed


def adopt_manually(record: Record, remote_id: str, provider: Provider, ledger: Ledger) -> Record:
    """Take the vendor's job of that id for the one of `record`, because a person says that it is.

    Raises `UsageError` where the ledger knows either of them otherwise, or another process is at it, and
    `JobNotFound` where the vendor does not have the job.
    """
    with ledger.lock(record.job.id) as mine:
        record = ledger.job(record.job.id)
        if not mine or not (record.unconfirmed or record.job.status is Status.SUBMITTING):
            raise UsageError(
                f"job {record.job.id} is {record.job.status}, and not one that is looked for at its vendor",
                hint="`ftbridge jobs` shows where each job stands.",
            )
        if ledger.knows(record.provider, remote_id):
            raise UsageError(
                f"{remote_id} is in the ledger already", hint=f"`ftbridge show {record.provider}:{remote_id}` shows it."
            )
        if others := [job.remote_id for job in provider.find(record.job.id) if job.remote_id != remote_id]:
            raise UsageError(
                f"{record.provider} has {others[0]} with the tag of {record.job.id}",
                hint=f"`ftbridge recover` takes that one by itself; {remote_id} is another job.",
            )
        remote = next(iter(provider.poll([remote_id])), None)
        if remote is None:
            raise JobNotFound(f"{record.provider} has no job {remote_id}", hint="Check the id and the account's key.")
        event = Event(at=now(), kind="message", message=f"{remote_id} was taken for this job by hand")
        return adopt(record, ensure_started(record, [remote], provider, ledger), provider, ledger, events=[event])
