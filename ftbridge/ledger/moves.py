"""Which job was moved from which, to another target."""

from __future__ import annotations

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from ftbridge.ledger.schema import moves
from ftbridge.ledger.store import Ledger


def write_move(ledger: Ledger, job_id: str, moved_from: str) -> None:
    """Link a job to the one it was moved from; doing it twice changes nothing."""
    try:
        with ledger.writing() as connection:
            connection.execute(insert(moves).values(job_id=job_id, moved_from=moved_from))
    except IntegrityError:
        return


def moved_from(ledger: Ledger, job_id: str) -> str | None:
    """The job that this one was moved from."""
    with ledger.reading() as connection:
        found: str | None = connection.execute(select(moves.c.moved_from).where(moves.c.job_id == job_id)).scalar()
    return found


def moved_to(ledger: Ledger, job_id: str) -> list[str]:
    """The jobs that this one was moved to."""
    query = select(moves.c.job_id).where(moves.c.moved_from == job_id).order_by(moves.c.job_id)
    with ledger.reading() as connection:
        return list(connection.execute(query).scalars())
