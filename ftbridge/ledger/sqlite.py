"""A ledger in a file: commits survive a loss of power, and a damaged file is never taken for an empty one."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError

from ftbridge.errors import LedgerDamaged, LedgerError
from ftbridge.files import replacing, to_disk
from ftbridge.home import LEDGER
from ftbridge.ledger.lock import file_lock
from ftbridge.ledger.schema import bring_up_to_date, schema_of
from ftbridge.model import now

_WAL_IS_SAFE_FROM = (3, 51, 3)  # sqlite.org/wal.html: the WAL-reset bug of 3.7.0 to 3.51.2 could corrupt the file
_PATIENCE = 30  # seconds to wait for another writer
_CHECKED_WHOLE = 4_000_000  # bytes up to which every opening checks the whole file, within milliseconds
_SMALLEST = 512  # bytes of SQLite's smallest page
_BESIDE = ("-journal", "-wal", "-shm")  # the files that SQLite keeps beside a database


class SqliteFile:
    """The ledger of one home folder."""

    shared = False

    def __init__(self, home: Path) -> None:
        self.file = home / LEDGER
        self.engine = _engine(self.file)
        self._locks = home / "locks"

    def open(self) -> None:
        """Create the file, complete or not at all; or check it, and bring its schema up to date."""
        try:
            if not self.file.exists():
                self._make()
            self._check()
            bring_up_to_date(self.engine)
        except BaseException:
            self.engine.dispose()
            raise

    def lock(self, job_id: str) -> AbstractContextManager[bool]:
        """By flock."""
        return file_lock(self._locks / f"{job_id}.lock")

    def set_aside_if_damaged(self) -> Path | None:
        """Move a damaged file, with the files beside it, out of the way; its new path."""
        with self._exclusively():  # another process may have been faster
            try:
                if self.file.exists():
                    self._check()
            except LedgerDamaged:
                self.engine.dispose()
                return self._set_aside()
        return None

    def as_error(self, problem: DBAPIError | OSError) -> LedgerError:
        """By SQLite's result codes (sqlite.org/rescode.html)."""
        if isinstance(problem, OSError):
            code, why = "", problem.strerror or str(problem)
        else:
            code, why = getattr(problem.orig, "sqlite_errorname", ""), str(problem.orig)
        if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            return self._damaged(why)
        if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            hint = f"Another process has been writing for {_PATIENCE} seconds; try again when it is done."
        elif code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
            hint = "Make the file and its folder writable, or set FTBRIDGE_HOME to another folder."
        else:
            hint = (
                "Make room on the disk and check that the folder is writable; then run the same command again."
                " Earlier commits are kept."
            )
        return LedgerError(f"the ledger {self.file} cannot be used: {why}", hint=hint)

    def _make(self) -> None:
        # created beside and then renamed, so an empty or truncated ledger is never one that is being created
        with self._exclusively():
            if self.file.exists():
                return
            for folder in self.file.parents:  # a ledger is lost with a folder that is not on the disk yet
                with suppress(OSError):  # folders far above may not be readable, or cannot be synced
                    to_disk(folder)
            self._set_journals_aside(self._free_name("left"))
            with replacing(self.file) as beside:
                engine = _engine(beside)
                bring_up_to_date(engine)
                engine.dispose()

    def _check(self) -> None:
        """Raises `LedgerDamaged` for a file that is not a valid ledger.

        SQLite itself does not notice that whole pages are missing at the end.
        """
        try:
            self._read_check()
        except DBAPIError as problem:
            raise self.as_error(problem) from problem

    def _read_check(self) -> None:
        if self.file.stat().st_size < _SMALLEST:  # SQLite would take it for a new database
            raise self._damaged("it is empty, or truncated to a few bytes")
        with self.engine.connect() as connection:
            if not schema_of(connection):  # now SQLite has rolled back what a killed writer left
                raise self._damaged("it contains no ledger")
            page: int = connection.execute(text("PRAGMA page_size")).scalar_one()
            size = self.file.stat().st_size
            if size % page:
                raise self._damaged("its last page is truncated")
            if size <= _CHECKED_WHOLE:
                verdict: str = connection.execute(text("PRAGMA quick_check(1)")).scalar_one()
                if verdict != "ok":
                    raise self._damaged(" ".join(verdict.split()))

    def _set_aside(self) -> Path:
        aside = self._free_name("damaged")
        self._set_journals_aside(aside)
        self.file.rename(aside)
        to_disk(self.file.parent)
        return aside

    def _set_journals_aside(self, aside: Path) -> None:
        """Before another file takes this name: SQLite would replay a remaining journal into it."""
        here = [ending for ending in _BESIDE if _beside(self.file, ending).exists()]
        for ending in here:
            _beside(self.file, ending).rename(_beside(aside, ending))
        if here:
            to_disk(self.file.parent)

    def _free_name(self, why: str) -> Path:
        name = f"{self.file.name}.{why}-{now():%Y%m%d-%H%M%S}"
        names = (name if number == 1 else f"{name}-{number}" for number in count(1))
        paths = map(self.file.with_name, names)
        return next(path for path in paths if not any(_beside(path, ending).exists() for ending in ("", *_BESIDE)))

    def _exclusively(self) -> AbstractContextManager[bool]:
        return file_lock(self._locks / "ledger.lock", wait=True)

    def _damaged(self, why: str) -> LedgerDamaged:
        return LedgerDamaged(
            f"the ledger {self.file} is damaged: {why}",
            hint="Restore a copy of it, or run `ftbridge recover --from-vendors`: it moves the file aside"
            " and fills a new one from the vendors' lists.",
        )


def _beside(file: Path, ending: str) -> Path:
    return file.with_name(file.name + ending)


def _engine(file: Path) -> Engine:
    """An engine whose commits survive the loss of power, and that waits for other writers.

    A rollback journal commits by being unlinked, and `FULL` does not sync the folder after that: the journal may be
    back when the power is, and rolls the transaction back. `EXTRA` syncs the folder. With a WAL it is the same as
    `FULL`, which syncs the WAL at each commit, and its folder when it is new.
    See sqlite.org/pragma.html#pragma_synchronous, read 2026-11-29.
    """
    engine = create_engine(f"sqlite:///{file}", connect_args={"timeout": _PATIENCE})
    journal = "WAL" if sqlite3.sqlite_version_info >= _WAL_IS_SAFE_FROM else "DELETE"

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # so that BEGIN below is ours, not the driver's
        connection.execute("PRAGMA synchronous = EXTRA")  # first: to leave another journal mode is to write, too
        connection.execute(f"PRAGMA journal_mode = {journal}")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes later could not be upgraded while another one writes.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
