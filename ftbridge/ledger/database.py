"""Where a ledger is: in a file in the home folder, or on a PostgreSQL server that a team shares."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from ftbridge.errors import LedgerError
from ftbridge.home import usable
from ftbridge.ledger.postgres import PostgresServer
from ftbridge.ledger.sqlite import SqliteFile

URL = "FTBRIDGE_LEDGER"


class Database(Protocol):
    """What a ledger needs of its database; the statements are the same for all.

    `shared` is whether homes on other machines may use it too.
    `lock` yields whether this process, and no other, may now submit a job; it is held until the block ends. A lease
    would expire while its process is stopped; these locks stay with a stopped process, and are free when it dies.
    """

    engine: Engine
    shared: bool

    def open(self) -> None:
        """Create the database if necessary, and bring its schema up to date. Raises `StateError`."""

    def lock(self, job_id: str) -> AbstractContextManager[bool]:
        """The lock of one job."""

    def as_error(self, problem: DBAPIError | OSError) -> LedgerError:
        """What went wrong, and what to do about it."""


def find_database(home: Path) -> Database:
    """The database that `$FTBRIDGE_LEDGER` names, else the file in `home`. Raises `ConfigError` for a bad URL."""
    url = os.environ.get(URL)
    return PostgresServer(url) if url else SqliteFile(home)


def set_aside_if_damaged(home: Path) -> Path | None:
    """Move a damaged ledger file out of the way; its new path, or `None` if it is not damaged.

    A server's database is never touched: it has its own recovery. Raises `StateError`.
    """
    database = find_database(home)
    if not isinstance(database, SqliteFile):
        return None
    with usable(home):
        return database.set_aside_if_damaged()
