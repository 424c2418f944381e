"""Which files the jobs of the ledger still need, and which files vendors have."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select

from ftbridge.ledger.record import Prepared
from ftbridge.ledger.schema import jobs, uploads
from ftbridge.ledger.store import Ledger
from ftbridge.model import FINAL, Spec


class OpenJob(NamedTuple):
    """A job that is not over, or of which it is not known whether its vendor has it."""

    id: str
    target: str
    spec: Spec
    keys: frozenset[str]
    """The hashes of its converted files."""

    @property
    def provider(self) -> str:
        """The provider's name, with mock+ before it where it is mocked."""
        return self.target.partition(":")[0]


class Upload(NamedTuple):
    """A file that a vendor has, and the hash of its content."""

    content_key: str
    remote_file: str
    created_at: str


def open_jobs(ledger: Ledger) -> list[OpenJob]:
    """All of them, oldest first."""
    is_unclear = jobs.c.unclear.is_not(None) & jobs.c.remote_id.is_(None)
    query = select(jobs.c.id, jobs.c.target, jobs.c.spec, jobs.c.prepared).where(
        jobs.c.status.not_in(FINAL) | is_unclear
    )
    with ledger.reading() as connection:
        rows = connection.execute(query.order_by(jobs.c.created_at, jobs.c.id)).all()
    return [OpenJob(row.id, row.target, Spec.model_validate_json(row.spec), _keys(row.prepared)) for row in rows]


def keys_in_use(ledger: Ledger) -> set[str]:
    """The hashes of the converted files that those jobs need."""
    return {key for job in open_jobs(ledger) for key in job.keys}


def uploads_of(ledger: Ledger, account: str) -> list[Upload]:
    """The files that were uploaded to an account, oldest first."""
    columns = [uploads.c[name] for name in Upload._fields]
    query = select(*columns).where(uploads.c.account == account).order_by(uploads.c.created_at, uploads.c.content_key)
    with ledger.reading() as connection:
        return [Upload._make(row) for row in connection.execute(query)]


def _keys(prepared: str) -> frozenset[str]:
    files = Prepared.model_validate_json(prepared)
    return frozenset(key for key in (files.training, files.validation) if key)
