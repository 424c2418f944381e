"""Which files the jobs of the ledger still need, and which files vendors have."""

from __future__ import annotations

import re
from typing import NamedTuple

from sqlalchemy import select

from ftbridge.ledger.schema import jobs, uploads
from ftbridge.ledger.store import Ledger
from ftbridge.model import FINAL, Spec
from ftbridge.stored import read_stored

_STRINGS = re.compile(r'"([^"\\]*)"')


class OpenJob(NamedTuple):
    """A job that is not over, or of which it is not known whether its vendor has it."""

    id: str
    target: str
    spec: Spec
    keys: frozenset[str]
    """The hashes of its converted files, and other words: what a newer ftbridge has written there is needed, too."""

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
    return [
        OpenJob(
            row.id,
            row.target,
            read_stored(Spec, row.spec, {"target": row.target, "data": "unknown"}),
            frozenset(_STRINGS.findall(row.prepared)),
        )
        for row in rows
    ]


def uploads_of(ledger: Ledger, account: str) -> list[Upload]:
    """The files that were uploaded to an account, oldest first."""
    columns = [uploads.c[name] for name in Upload._fields]
    query = select(*columns).where(uploads.c.account == account).order_by(uploads.c.created_at, uploads.c.content_key)
    with ledger.reading() as connection:
        return [Upload._make(row) for row in connection.execute(query)]
