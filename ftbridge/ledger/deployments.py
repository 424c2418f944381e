"""Deployed models, which cost by the hour: a row is added before the vendor is asked, and ended with the deployment."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from ftbridge.ledger.schema import deployments, jobs
from ftbridge.ledger.store import Ledger
from ftbridge.model import Frozen, Status

_logger = logging.getLogger(__name__)


class DeploymentRecord(Frozen):
    """One deployment of the model of one job; `number` counts the job's deployments from 1.

    `name` is the vendor's, `None` while it is not known whether the vendor has it. `hourly_usd` is 0 where no hours are
    billed, `None` where the price is unknown; after `max_hours` it is to be undeployed. `ended_at` is set then.
    """

    job_id: str
    number: int
    tier: str | None
    name: str | None
    model: str
    hourly_usd: float | None
    max_hours: float | None
    began_at: datetime
    ended_at: datetime | None


def begin_deployment(ledger: Ledger, job_id: str, *, model: str, began_at: datetime, **fields: Any) -> DeploymentRecord:
    """Record, before the vendor is asked, that a job's model may be deployed from now on."""
    with ledger.writing() as connection:
        number = _insert(connection, job_id, model=model, began_at=began_at, **fields)
        row = _one(connection, job_id, number)
    _logger.info("%s: deploying %s", job_id, model)
    return row


def adopt_deployment(ledger: Ledger, job_id: str, *, name: str, began_at: datetime, **fields: Any) -> None:
    """Record a deployment that the vendor has and the ledger has not; one with that `name` does not change."""
    known = _open() & (deployments.c.job_id == job_id) & (deployments.c.name == name)
    try:
        with ledger.writing() as connection:
            if connection.execute(select(deployments.c.number).where(known)).first() is None:
                _insert(connection, job_id, name=name, began_at=began_at, **fields)
    except IntegrityError:  # another process has just recorded it
        return


def change_deployment(ledger: Ledger, record: DeploymentRecord, **fields: Any) -> DeploymentRecord:
    """Change `fields` of the row; the row as it is then."""
    with ledger.writing() as connection:
        connection.execute(update(deployments).where(_is(record)).values(_as_texts(fields)))
        row = _one(connection, record.job_id, record.number)
    if row.name and not record.name:
        _logger.info("%s: deployed as %s", row.job_id, row.name)
    return row


def end_deployment(ledger: Ledger, record: DeploymentRecord, at: datetime) -> DeploymentRecord:
    """Record when the deployment ended, unless that is known already; the row as it is then."""
    with ledger.writing() as connection:
        ended = connection.execute(update(deployments).where(_is(record) & _open()).values(ended_at=at.isoformat()))
        row = _one(connection, record.job_id, record.number)
    if ended.rowcount:
        _logger.info("%s: %s is no longer deployed", row.job_id, row.name or row.model)
    return row


def forget_deployment(ledger: Ledger, record: DeploymentRecord) -> None:
    """Remove a deployment that the vendor never had; one that it has confirmed stays."""
    with ledger.writing() as connection:
        connection.execute(delete(deployments).where(_is(record) & deployments.c.name.is_(None)))


def open_deployments(ledger: Ledger) -> list[DeploymentRecord]:
    """What is, or may be, deployed, oldest first."""
    return _read(ledger, _open())


def deployments_of(ledger: Ledger, job_id: str) -> list[DeploymentRecord]:
    """All deployments of one job, oldest first."""
    return _read(ledger, deployments.c.job_id == job_id)


def deployments_since(ledger: Ledger, day: datetime) -> list[DeploymentRecord]:
    """What has been deployed at any time after `day`, oldest first."""
    return _read(ledger, _open() | (deployments.c.ended_at > day.isoformat()))


def succeeded_targets(ledger: Ledger) -> set[str]:
    """The targets of all jobs that have succeeded, which is what may be deployed."""
    query = select(jobs.c.target).where(jobs.c.status == Status.SUCCEEDED).distinct()
    with ledger.reading() as connection:
        return set(connection.execute(query).scalars())


def _insert(connection: Connection, job_id: str, **fields: Any) -> int:
    count = select(func.coalesce(func.max(deployments.c.number), 0)).where(deployments.c.job_id == job_id)
    number: int = connection.execute(count).scalar_one() + 1
    connection.execute(insert(deployments).values(job_id=job_id, number=number, **_as_texts(fields)))
    return number


def _one(connection: Connection, job_id: str, number: int) -> DeploymentRecord:
    row = (deployments.c.job_id == job_id) & (deployments.c.number == number)
    return DeploymentRecord.model_validate(dict(connection.execute(select(deployments).where(row)).mappings().one()))


def _read(ledger: Ledger, where: ColumnElement[bool]) -> list[DeploymentRecord]:
    query = select(deployments).where(where).order_by(deployments.c.began_at, deployments.c.job_id)
    with ledger.reading() as connection:
        return [DeploymentRecord.model_validate(dict(row)) for row in connection.execute(query).mappings()]


def _open() -> ColumnElement[bool]:
    return deployments.c.ended_at.is_(None)


def _is(record: DeploymentRecord) -> ColumnElement[bool]:
    return (deployments.c.job_id == record.job_id) & (deployments.c.number == record.number)


def _as_texts(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in fields.items()}
