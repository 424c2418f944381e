"""A ledger on a PostgreSQL server, for a team: the same statements, and the server's own locks."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import URL, NullPool, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from ftbridge.errors import ConfigError, LedgerError, MissingExtra
from ftbridge.foreign.redaction import MASK, register
from ftbridge.ledger.schema import bring_up_to_date

_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
_EVERY_SESSION = (
    "SET lock_timeout = '30s'",  # as long as a SQLite ledger waits for another writer
    "SET synchronous_commit = on",  # a database may be set to lose its last commits
)
_LOCKING_SESSION = (
    "SET idle_session_timeout = 0",  # the lock stays with a process that is stopped
    "SET tcp_keepalives_idle = 30",  # and is free soon after its machine has died: idle and interval in seconds
    "SET tcp_keepalives_interval = 10",
    "SET tcp_keepalives_count = 3",
)


class PostgresServer:
    """The ledger that a URL names; PostgreSQL 14 or newer.

    Its locks are those of a session, so a pooler between must not hand one session to several clients
    (PgBouncer: `pool_mode = session`).
    """

    shared = True

    def __init__(self, url: str) -> None:
        self._url = _parse(url)
        register(self._url.password and str(self._url.password))
        known: dict[str, Any] = {"connect_timeout": "10", "application_name": "ftbridge", "client_encoding": "utf8"}
        known = {name: value for name, value in known.items() if name not in self._url.query}
        # the statements are written for this isolation; a database may be set to another
        self.engine = create_engine(self._url, connect_args=known, pool_pre_ping=True, isolation_level="READ COMMITTED")
        self._locking = create_engine(self._url, connect_args=known, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        event.listen(self.engine, "connect", _prepare(_EVERY_SESSION))
        event.listen(self._locking, "connect", _prepare(_LOCKING_SESSION))
        weakref.finalize(self, self.engine.dispose)  # for a ledger that is dropped without being closed

    def open(self) -> None:
        """Bring the schema up to date, from nothing if there is none."""
        bring_up_to_date(self.engine)

    @contextmanager
    def lock(self, job_id: str) -> Iterator[bool]:
        """By an advisory lock of a session that does nothing else: the server frees it when the session ends."""
        key = int.from_bytes(hashlib.sha256(f"ftbridge {job_id}".encode()).digest()[:8], signed=True)
        with self._locking.connect() as session:
            locked: bool = session.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}).scalar_one()
            try:
                yield locked
            finally:
                # not left to the session's end, which the server notices a little later
                with suppress(DBAPIError):
                    session.execute(text("SELECT pg_advisory_unlock_all()"))

    def as_error(self, problem: DBAPIError | OSError) -> LedgerError:
        """By PostgreSQL's error codes (appendix A of its manual); the password is never shown."""
        cause = problem.orig if isinstance(problem, DBAPIError) else problem
        why = " ".join(str(cause).split())
        if self._url.password:
            why = why.replace(str(self._url.password), MASK)  # however short it is
        state = getattr(cause, "sqlstate", None)
        hints = {
            None: "Check that the server runs and that FTBRIDGE_LEDGER is right; without that variable the ledger"
            " is a file in the home folder.",
            "25006": "The server is read-only, perhaps a stand-by: set FTBRIDGE_LEDGER to one that can be written.",
            "42501": "Let the role that FTBRIDGE_LEDGER names create and write tables there.",
            "53100": "The server's disk is full: make room, then run the same command again.",
            "55P03": "Another process has been writing for 30 seconds; try again when it is done.",
        }
        hint = hints.get(state, "Earlier commits are kept; when this is fixed, run the same command again.")
        return LedgerError(f"the ledger {shown(self._url)} cannot be used: {why}", hint=hint)


def shown(url: URL) -> str:
    """The URL as it may be printed: without its password, which may also be among its parameters."""
    return url.set(query={}).render_as_string(hide_password=True)


def _parse(url: str) -> URL:
    hint = "Write it as postgresql+psycopg://user:password@host:5432/database."
    try:
        parts = make_url(url)
    except (ArgumentError, ValueError):  # their text contains the URL, with its password
        raise ConfigError("FTBRIDGE_LEDGER is not the URL of a database", hint=hint) from None
    if parts.drivername not in _SCHEMES:
        raise ConfigError(f"FTBRIDGE_LEDGER names a database that is not PostgreSQL: {shown(parts)}", hint=hint)
    try:
        import psycopg  # noqa: F401 - SQLAlchemy imports it by itself, and says less when it cannot
    except ImportError as problem:
        raise MissingExtra(
            "a ledger on PostgreSQL needs psycopg", hint="Install it with: pip install 'ftbridge[postgres]'"
        ) from problem
    # libpq takes the password as a parameter too, where nothing would hide it
    [in_query, *_] = parts.normalized_query.get("password", [None])
    parts = parts.set(drivername="postgresql+psycopg", password=parts.password or in_query)
    return parts.difference_update_query(["password"])


def _prepare(statements: tuple[str, ...]) -> Any:
    def prepare(connection: Any, _record: Any) -> None:
        before, connection.autocommit = connection.autocommit, True
        for statement in statements:
            connection.execute(statement)
        connection.autocommit = before

    return prepare
