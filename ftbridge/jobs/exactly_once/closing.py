"""Ending a job in the ledger alone: it was refused, or is no longer wanted."""

from __future__ import annotations

from typing import Any

from ftbridge.ledger import Ledger, Record
from ftbridge.model import Event, Status, now


def fail(ledger: Ledger, job_id: str, why: str, *, unclear: bool = False) -> Record:
    """End the job as failed. Its idempotency key is free again, unless it is `unclear` whether the vendor has it."""
    record = ledger.job(job_id)
    free = {} if unclear else {"user_key": None, "unclear": None}
    return _end(ledger, record, Status.FAILED, why, error=why, **free) or ledger.job(job_id)


def cancel(ledger: Ledger, record: Record, why: str, *, code: str | None = None) -> Record | None:
    """End the job as cancelled; `None` if another process has changed it meanwhile.

    The idempotency key of a job that the vendor has not confirmed is free again.
    """
    free = {} if record.job.remote_id else {"user_key": None}
    return _end(ledger, record, Status.CANCELLED, why, code=code, **free)


def _end(
    ledger: Ledger, record: Record, status: Status, why: str, *, code: str | None = None, **fields: Any
) -> Record | None:
    event = Event(at=now(), kind="status", status=status, code=code, message=why)
    return ledger.change(record, [event], status=status, finished_at=now(), **fields)
