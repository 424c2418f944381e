"""What of a job was deleted, as its events say it."""

from __future__ import annotations

from collections.abc import Iterable

from ftbridge.errors import JobFailed
from ftbridge.ledger import Ledger, Record
from ftbridge.model import Event, now

DELETED = "deleted"
"""The code of the events that say what of a job was deleted."""
_RESULT = "deleted model "


def deletion_of(what: str) -> Event:
    """The event for something that was deleted, which `what` names after its kind: "model ft:…"."""
    return Event(at=now(), kind="message", code=DELETED, message=f"{DELETED} {what}")


def deletions(events: Iterable[Event]) -> list[Event]:
    """Those of the events that say what was deleted."""
    return [event for event in events if event.code == DELETED]


def deletion_of_result(ledger: Ledger, record: Record) -> Event | None:
    """The event that says that the job's result was deleted."""
    if record.request_hash:  # it is emptied with the result
        return None
    told = deletions(event for _number, event in ledger.events(record.job.id))
    return next((event for event in told if (event.message or "").startswith(_RESULT)), None)


def check_result_kept(ledger: Ledger, record: Record) -> None:
    """Raises `JobFailed` where the job's result was deleted."""
    if event := deletion_of_result(ledger, record):
        on = event.at.astimezone().date().isoformat()
        raise JobFailed(
            f"the result of {record.job.id} was deleted on {on} (`ftbridge delete`)",
            hint="Submitting the same request again trains a new one.",
        )
