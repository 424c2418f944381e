"""The queue before a provider that runs only so many jobs at once."""

from __future__ import annotations

from sqlalchemy import Connection, and_, func, or_, select, tuple_, update

from ftbridge.ledger.record import Record
from ftbridge.ledger.rows import as_record, at_provider, lock_jobs
from ftbridge.ledger.schema import jobs
from ftbridge.ledger.store import Ledger
from ftbridge.ledger.window import Window
from ftbridge.model import Status, now

_RUNS = (Status.VALIDATING, Status.QUEUED, Status.RUNNING, Status.UNKNOWN)


def reserve_slot(
    ledger: Ledger, record: Record, limit: int | None, *, account: str | None = None, window: Window | None = None
) -> Record | None:
    """Mark the job as about to be sent, if its provider has a free slot; the job as it is then.

    `account` is where it is requested, and `window` the time in which it may be created if no answer arrives.
    """
    values = {
        "posted_at": now().isoformat(),
        "version": record.version + 1,
        "attempts": record.attempts + 1,
        "account": account,
        "unclear": window.model_dump_json() if window else None,
    }
    unchanged = (jobs.c.id == record.job.id) & (jobs.c.version == record.version)
    with ledger.writing() as connection:
        lock_jobs(connection)
        if not _is_free(connection, record, limit):
            return None
        if connection.execute(update(jobs).where(unchanged).values(values)).rowcount == 0:
            return None
    return ledger.job(record.job.id)


def has_free_slot(ledger: Ledger, record: Record, limit: int | None) -> bool:
    """Whether the provider seems to have a free slot for the job; only `reserve_slot` makes sure of it."""
    with ledger.reading() as connection:
        return _is_free(connection, record, limit)


def _is_free(connection: Connection, record: Record, limit: int | None) -> bool:
    """A slot is taken by every job that the provider may be running, and by every job that has waited longer.

    `limit` is how many slots there are; `None` means no limit.
    """
    if limit is None:
        return True
    in_front = or_(
        jobs.c.status.in_(_RUNS),
        and_(
            jobs.c.status == Status.SUBMITTING,
            or_(
                jobs.c.posted_at.is_not(None),
                tuple_(jobs.c.created_at, jobs.c.id) < (record.job.created_at.isoformat(), record.job.id),
            ),
        ),
    )
    count = select(func.count()).where(at_provider(record.provider), in_front, jobs.c.id != record.job.id)
    return connection.execute(count).scalar_one() < limit


def waiting(ledger: Ledger, provider: str) -> list[Record]:
    """The provider's jobs that are `submitting`, in the order in which they were submitted."""
    query = select(jobs).where(at_provider(provider), jobs.c.status == Status.SUBMITTING)
    with ledger.reading() as connection:
        return [as_record(row) for row in connection.execute(query.order_by(jobs.c.created_at, jobs.c.id))]
