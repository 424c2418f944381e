"""Hooks that are owed deliveries, and what is due: stored with the change itself, removed once it has succeeded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, func, select, text, update

from ftbridge.config import BETWEEN
from ftbridge.ledger.schema import deliveries, hooks
from ftbridge.ledger.store import Ledger

# as text, because SQLAlchemy has a different upsert for each database
_REGISTER = text("INSERT INTO hooks (source, name) VALUES (:source, :name) ON CONFLICT (source, name) DO NOTHING")


class Delivery(NamedTuple):
    """One event of one job for one hook, which is NAME@SOURCE; `attempts` have been made so far."""

    hook: str
    job_id: str
    number: int
    attempts: int


def register_hooks(ledger: Ledger, names: Mapping[str, Collection[str]]) -> None:
    """Make the names of the hooks of each of these sources those in `names`; other sources stay as they are.

    A hook that is gone is owed nothing more; what was due to it stays due, and may be delivered once it is back.
    """
    wanted = {(source, name) for source, some in names.items() for name in some}
    query = select(hooks.c.source, hooks.c.name).where(hooks.c.source.in_(list(names)))
    with ledger.reading() as connection:
        known = {(row.source, row.name) for row in connection.execute(query)}
    if known == wanted:
        return
    with ledger.writing() as connection:
        for source, name in sorted(known - wanted):
            connection.execute(delete(hooks).where(hooks.c.source == source, hooks.c.name == name))
        for source, name in sorted(wanted - known):
            connection.execute(_REGISTER, {"source": source, "name": name})


def forget_hooks(ledger: Ledger, source: str) -> None:
    """Owe the hooks of a source nothing more, nor what is due to them."""
    of_source = deliveries.c.hook.endswith(f"{BETWEEN}{source}", autoescape=True)
    with ledger.writing() as connection:
        connection.execute(delete(hooks).where(hooks.c.source == source))
        connection.execute(delete(deliveries).where(of_source))


def due(ledger: Ledger, at: datetime, known: Collection[str], limit: int = 100) -> list[Delivery]:
    """The deliveries to the `known` hooks that are due, those that have waited longest first."""
    columns = [deliveries.c[name] for name in Delivery._fields]
    query = select(*columns).where(deliveries.c.due_at <= at.isoformat(), deliveries.c.hook.in_(list(known)))
    with ledger.reading() as connection:
        found = connection.execute(query.order_by(deliveries.c.due_at, deliveries.c.number).limit(limit)).all()
    return [Delivery._make(row) for row in found]


def count_deliveries(ledger: Ledger, known: Collection[str]) -> int:
    """How many deliveries to the `known` hooks have not succeeded yet, whenever they are due."""
    query = select(func.count()).select_from(deliveries).where(deliveries.c.hook.in_(list(known)))
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
