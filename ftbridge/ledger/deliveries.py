"""Deliveries to hooks that are due: stored with the change itself, removed once they have succeeded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, func, select, update

from ftbridge.ledger.schema import deliveries
from ftbridge.ledger.store import Ledger


class Delivery(NamedTuple):
    """One event of one job for one hook; `attempts` have been made so far."""

    hook: str
    job_id: str
    number: int
    attempts: int


def due(ledger: Ledger, at: datetime, limit: int = 100) -> list[Delivery]:
    """The deliveries that are due, those that have waited longest first."""
    columns = [deliveries.c[name] for name in Delivery._fields]
    query = select(*columns).where(deliveries.c.due_at <= at.isoformat())
    with ledger.reading() as connection:
        found = connection.execute(query.order_by(deliveries.c.due_at, deliveries.c.number).limit(limit)).all()
    return [Delivery._make(row) for row in found]


def count_deliveries(ledger: Ledger, hooks: Sequence[str]) -> int:
    """How many deliveries to these hooks have not succeeded yet, whenever they are due."""
    query = select(func.count()).select_from(deliveries).where(deliveries.c.hook.in_(hooks))
    with ledger.reading() as connection:
        count: int = connection.execute(query).scalar_one()
    return count


def delivered(ledger: Ledger, delivery: Delivery) -> None:
    """Remove a delivery that has succeeded."""
    with ledger.writing() as connection:
        connection.execute(delete(deliveries).where(_is(delivery)))


def postponed(ledger: Ledger, delivery: Delivery, until: datetime) -> None:
    """Count a failed attempt; the next is due at `until`."""
    values = {"attempts": delivery.attempts + 1, "due_at": until.isoformat()}
    with ledger.writing() as connection:
        connection.execute(update(deliveries).where(_is(delivery)).values(values))


def _is(delivery: Delivery) -> ColumnElement[bool]:
    columns = deliveries.c
    return (columns.hook == delivery.hook) & (columns.job_id == delivery.job_id) & (columns.number == delivery.number)
