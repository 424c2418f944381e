"""Seeing what became of jobs: one sweep asks each provider once and writes down what is new."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ftbridge.ledger import Ledger, Record
from ftbridge.model import Event, Latest, Status, now
from ftbridge.provider import Provider, RemoteJob

ACTIVE = (Status.VALIDATING, Status.QUEUED, Status.RUNNING, Status.PAUSED, Status.UNKNOWN)


_BEFORE_RUNNING = (Status.VALIDATING, Status.QUEUED)


def sweep(records: Sequence[Record], provider_of: Callable[[Record], Provider], ledger: Ledger) -> None:
    """Poll the jobs that can still change, and commit every change with its events."""
    groups: dict[Provider, dict[str, Record]] = {}
    for record in records:
        if record.job.status in ACTIVE and record.job.remote_id:
            groups.setdefault(provider_of(record), {})[record.job.remote_id] = record
    for provider, waiting in groups.items():
        for remote in provider.poll(list(waiting)):
            _apply(waiting[remote.remote_id], remote, provider, ledger)


def _apply(record: Record, remote: RemoteJob, provider: Provider, ledger: Ledger) -> None:
    found = list(provider.events(remote.remote_id, record.cursor))
    told, status = _tell(record.job.status, remote, found)
    if not found and not told and remote.raw_status == record.job.raw_status:
        return
    ledger.change(
        record,
        told,
        status=status,
        raw_status=remote.raw_status,
        latest=_latest(record.job.latest, found),
        last_cursor=found[-1].cursor if found else record.cursor,
        error=remote.error,
        result=remote.result,
        actual_usd=remote.cost_usd,
        billed_tokens=remote.trained_tokens,
        finished_at=found[-1].at if status.final and found else now() if status.final else None,
    )


def _tell(before: Status, remote: RemoteJob, found: Iterable[Event]) -> tuple[list[Event], Status]:
    """The events worth keeping and the status after them.

    Events are read after the poll and may be ahead of it. That a job is over is believed of the
    poll alone, because only the poll brings the result and the error along.
    """
    told, status = [], before
    for event in found:
        if event.kind == "metric" and status in _BEFORE_RUNNING:
            # a job that is faster than the looks at it has been running all the same: only that gives metrics
            told.append(Event(at=event.at, kind="status", status=Status.RUNNING))
            status = Status.RUNNING
        if event.kind == "status":
            if event.status is None or event.status.final or event.status is status:
                continue
            status = event.status
        told.append(event)
    if remote.status.final or not any(event.kind == "status" for event in told):
        if remote.status is not status:
            told.append(Event(at=now(), kind="status", status=remote.status, message=remote.error))
        status = remote.status
    return told, status


def _latest(before: Latest, found: Iterable[Event]) -> Latest:
    newest: dict[str, Any] = before.model_dump()
    for event in found:
        if event.kind == "metric":
            newest |= {name: value for name in newest if (value := getattr(event, name)) is not None}
    return Latest(**newest)
