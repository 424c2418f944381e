"""Reading only some of the jobs: the conditions are the database's, so that a long ledger is not read whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select

from ftbridge.ledger.record import Record
from ftbridge.ledger.rows import as_record, at_provider
from ftbridge.ledger.schema import jobs
from ftbridge.ledger.store import Ledger
from ftbridge.model import Status

MEASUREMENT = "measurement"
"""The group of the jobs by which this machine's speed is measured, of which nothing is left but their events."""


class JobFilter(NamedTuple):
    """Which jobs are wanted: those that meet every condition, and of these the newest `limit`.

    In `name`, * stands for any characters and ? for one. Measurements are wanted only by their `group`.
    """

    statuses: tuple[Status, ...] = ()
    provider: str | None = None
    since: datetime | None = None
    name: str | None = None
    group: str | None = None
    limit: int | None = None


def filtered(ledger: Ledger, wanted: JobFilter) -> list[Record]:
    """The wanted jobs, oldest first."""
    query = select(jobs).where(*_conditions(wanted)).order_by(jobs.c.created_at.desc(), jobs.c.id.desc())
    if wanted.limit is not None:
        query = query.limit(wanted.limit)
    with ledger.reading() as connection:
        return [as_record(row) for row in connection.execute(query)][::-1]


def providers_of_jobs(ledger: Ledger) -> list[str]:
    """The providers that any job of the ledger is at, with mock+ before those that are mocked."""
    with ledger.reading() as connection:
        targets = connection.execute(select(jobs.c.target).distinct()).scalars()
        return sorted({target.partition(":")[0] for target in targets})


def _conditions(wanted: JobFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.statuses:
        yield jobs.c.status.in_(wanted.statuses)
    if wanted.provider is not None:
        yield at_provider(wanted.provider)
    if wanted.since is not None:
        yield jobs.c.created_at >= wanted.since.astimezone(UTC).isoformat()
    if wanted.name is not None:
        yield jobs.c.name.regexp_match(_as_regex(wanted.name))
    yield jobs.c.group_name == wanted.group if wanted.group is not None else no_measurement()


def no_measurement() -> ColumnElement[bool]:
    """The condition that a job is a person's own."""
    return func.coalesce(jobs.c.group_name, "") != MEASUREMENT


def _as_regex(pattern: str) -> str:
    """The pattern as a regular expression that Python, for SQLite, and PostgreSQL understand alike."""
    return "^" + "".join({"*": ".*", "?": "."}.get(sign) or re.escape(sign) for sign in pattern) + "$"
