"""The rows of the table of jobs: finding them and converting them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Connection, Row, select, text

from ftbridge.foreign.values import clean, time_of
from ftbridge.ledger.record import Prepared, Record
from ftbridge.ledger.schema import jobs
from ftbridge.ledger.window import Window
from ftbridge.model import Cost, Job, Latest, Result, Spec, Status
from ftbridge.stored import UNDATED, as_stored, not_understood, read_status, read_stored

_NO_WINDOW = {"opened": {"boot": None, "uptime": 0.0}}  # one whose end no clock can tell


def lock_jobs(connection: Connection) -> None:
    """Keep other transactions from writing jobs until this one ends; SQLite has a single writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE jobs IN SHARE ROW EXCLUSIVE MODE"))


def at_provider(name: str) -> ColumnElement[bool]:
    """The condition that a job is at the provider of that name, with mock+ before it where it is mocked."""
    return jobs.c.target.startswith(f"{name}:", autoescape=True)


def candidates(connection: Connection, key: str | None, request_hash: str) -> list[Record]:
    """The jobs that may be the same request as one of that key and hash, the newest first."""
    newest = select(jobs).order_by(jobs.c.created_at.desc(), jobs.c.id)
    equal = newest.where(jobs.c.request_hash == request_hash)
    if key is None:
        return [as_record(row) for row in connection.execute(equal)]
    found = connection.execute(newest.where(jobs.c.user_key == key)).all()
    unconfirmed = (jobs.c.status == Status.SUBMITTING) | jobs.c.unclear.is_not(None)
    unseen = equal.where(jobs.c.user_key.is_(None), jobs.c.remote_id.is_(None), unconfirmed)
    return [as_record(row) for row in found or connection.execute(unseen).all()]


def as_text(value: Any) -> Any:
    """A value as the ledger stores it."""
    if isinstance(value, BaseModel):
        return as_stored(value)
    if isinstance(value, str):
        return clean(value)  # an error's text may contain what PostgreSQL, or UTF-8, cannot store
    return value.isoformat() if isinstance(value, datetime) else value


def as_record(row: Row[Any]) -> Record:
    """A row of the table of jobs as a record; what a newer ftbridge has written is read as far as it is known."""
    spec = read_stored(Spec, row.spec, {"target": row.target, "data": "unknown"})
    prepared = read_stored(Prepared, row.prepared, {"training": ""})
    status = read_status(row.status)
    job = Job(
        id=row.id,
        name=spec.name,
        target=row.target,
        status=status,
        raw_status=row.raw_status if status == row.status else row.raw_status or row.status,
        remote_id=row.remote_id,
        created_at=_time(row.created_at) or UNDATED,
        finished_at=_time(row.finished_at),
        spec=spec,
        latest=read_stored(Latest, row.latest),
        result=read_stored(Result, row.result) if row.result else None,
        cost=Cost(
            estimate_usd=row.estimate_usd,
            estimate_usd_high=row.estimate_usd_high,
            estimate_tokens=row.estimate_tokens,
            actual_usd=row.actual_usd,
            billed_tokens=row.billed_tokens,
        ),
        error=row.error,
        owner=row.owner,
        home=row.home,
        group=row.group_name,
    )
    return Record(
        job=job,
        prepared=prepared,
        request_hash=row.request_hash,
        posted_at=_time(row.posted_at),
        cursor=row.last_cursor,
        version=row.version,
        progress_at=_time(row.progress_at),
        key=row.user_key,
        account=row.account,
        attempts=row.attempts,
        unclear=read_stored(Window, row.unclear, _NO_WINDOW) if row.unclear else None,
        not_understood=(*not_understood(spec, row.spec), *not_understood(prepared, row.prepared)),
    )


def _time(stored: str | None) -> datetime | None:
    """`UNDATED` for what is no time: what has happened has happened, whenever that was."""
    return (time_of(stored) or UNDATED) if stored else None
