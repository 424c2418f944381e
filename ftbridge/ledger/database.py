"""Where a ledger lies: a file in the home folder, or a PostgreSQL server that a team shares."""

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
    """What a ledger asks of the place where it lies; its statements are the same everywhere.

    `lock` gives whether this process, and no other, may now submit a job; it is held until the block
    ends. A lease would run out under a submitter that is stopped and later goes on; these locks stay
    with a process that is stopped, and are free when it dies.
    """

    engine: Engine

    def open(self) -> None:
        """Make what is not there yet, and bring its schema up to date. Raises `StateError`."""

    def lock(self, job_id: str) -> AbstractContextManager[bool]:
        """The lock of one job."""

    def sentence(self, problem: DBAPIError | OSError) -> LedgerError:
        """What went wrong, and what to do about it."""


def find_database(home: Path) -> Database:
    """The one that `$FTBRIDGE_LEDGER` names, else the file in `home`. Raises `ConfigError` for a bad URL."""
    url = os.environ.get(URL)
    return PostgresServer(url) if url else SqliteFile(home)


def set_aside_if_damaged(home: Path) -> Path | None:
    """Move the damaged file of a ledger out of the way; where it is then, or `None` if nothing was wrong.

    A server's database is never touched: it has its own ways to come back. Raises `StateError`.
    """
    database = find_database(home)
    if not isinstance(database, SqliteFile):
        return None
    with usable(home):
        return database.set_aside_if_damaged()
