"""Short rows of jobs, for watching thousands of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Row, func, select

from ftbridge.ledger.schema import events, jobs
from ftbridge.ledger.store import Ledger
from ftbridge.model import FINAL
from ftbridge.stored import read_status

_BATCH = 5_000  # SQLite takes up to 32,766 parameters in one statement (sqlite.org/limits.html)


class JobSummary(NamedTuple):
    """A job as one short row; `progress_at` is when it last showed something new, in ISO form."""

    id: str
    target: str
    status: str
    raw_status: str | None
    remote_id: str | None
    version: int
    progress_at: str | None

    @property
    def provider(self) -> str:
        """The provider's name, with mock+ before it where it is mocked."""
        return self.target.partition(":")[0]


_COLUMNS = [jobs.c[name] for name in JobSummary._fields]


def unfinished(ledger: Ledger) -> list[JobSummary]:
    """Every job that is not over, oldest first."""
    query = select(*_COLUMNS).where(jobs.c.status.not_in(FINAL)).order_by(jobs.c.created_at, jobs.c.id)
    with ledger.reading() as connection:
        return [_summary(row) for row in connection.execute(query)]


def summaries(ledger: Ledger, job_ids: Iterable[str]) -> Iterator[JobSummary]:
    """The jobs of those ids."""
    for some in _batches(job_ids):
        with ledger.reading() as connection:
            found = connection.execute(select(*_COLUMNS).where(jobs.c.id.in_(some))).all()
        yield from map(_summary, found)


def last_numbers(ledger: Ledger, job_ids: Iterable[str]) -> dict[str, int]:
    """By job id, the number of the job's newest event; 0 where nothing has happened yet."""
    numbers = dict.fromkeys(job_ids, 0)
    newest = select(events.c.job_id, func.max(events.c.number).label("last")).group_by(events.c.job_id)
    for some in _batches(numbers):
        with ledger.reading() as connection:
            found = connection.execute(newest.where(events.c.job_id.in_(some))).all()
        numbers |= {row.job_id: row.last for row in found}
    return numbers


def _summary(row: Row[Any]) -> JobSummary:
    summary = JobSummary._make(row)
    return summary._replace(status=read_status(summary.status))


def _batches(job_ids: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(job_ids)
    while some := list(islice(rest, _BATCH)):
        yield some
