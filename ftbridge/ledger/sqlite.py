"""A ledger in a file: what is committed stays committed, and what is damaged is not taken for empty."""

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
from ftbridge.ledger.lock import file_lock
from ftbridge.ledger.schema import bring_up_to_date, schema_of
from ftbridge.model import now

FILE_NAME = "ledger.sqlite"
_WAL_IS_SAFE_FROM = (3, 51, 3)  # sqlite.org/wal.html: the WAL-reset bug of 3.7.0 to 3.51.2 could corrupt the file
_PATIENCE = 30  # seconds for which another writer is waited for
_CHECKED_WHOLE = 4_000_000  # bytes up to which every opening looks at the whole file, in some milliseconds
_SMALLEST = 512  # bytes of the smallest page that SQLite has
_BESIDE = ("-journal", "-wal", "-shm")  # what SQLite keeps next to a file, and what belongs to it


class SqliteFile:
    """The ledger of one home folder."""

    def __init__(self, home: Path) -> None:
        self.file = home / FILE_NAME
        self.engine = _engine(self.file)
        self._locks = home / "locks"

    def open(self) -> None:
        """Make the file, whole or not at all; or look whether it is sound, and bring its schema up to date."""
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
        """Move a damaged file, with all that belongs to it, out of the way; where it is then."""
        with self._alone():  # another process may have been quicker
            try:
                if self.file.exists():
                    self._check()
            except LedgerDamaged:
                self.engine.dispose()
                return self._set_aside()
        return None

    def sentence(self, problem: DBAPIError | OSError) -> LedgerError:
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
                "Make room on the disk and see that the folder can be written; then run the same command again."
                " What was committed before is kept."
            )
        return LedgerError(f"the ledger {self.file} cannot be used: {why}", hint=hint)

    def _make(self) -> None:
        # beside, and then renamed: so a ledger that is empty or cut off is never one that is being made
        with self._alone():
            if self.file.exists():
                return
            for folder in self.file.parents:  # whoever made them: a ledger goes with a folder that is not on the disk
                with suppress(OSError):  # not every folder far above may be opened, or can be synced
                    to_disk(folder)
            self._set_journals_aside(self._free_name("left"))
            with replacing(self.file) as beside:
                engine = _engine(beside)
                bring_up_to_date(engine)
                engine.dispose()

    def _check(self) -> None:
        """Raises `LedgerDamaged` for a file that is not a sound ledger.

        SQLite itself misses whole pages at the end, but not a part of one.
        """
        try:
            self._look()
        except DBAPIError as problem:
            raise self.sentence(problem) from problem

    def _look(self) -> None:
        if self.file.stat().st_size < _SMALLEST:  # which SQLite would begin to fill
            raise self._damaged("it is empty, or all but a few bytes are cut off")
        with self.engine.connect() as connection:
            if not schema_of(connection):  # SQLite's lock is now held, and what a killed writer left is rolled back
                raise self._damaged("there is no ledger in it")
            page: int = connection.execute(text("PRAGMA page_size")).scalar_one()
            size = self.file.stat().st_size
            if size % page:
                raise self._damaged("its last page is cut off")
            if size <= _CHECKED_WHOLE:
                found: str = connection.execute(text("PRAGMA quick_check(1)")).scalar_one()
                if found != "ok":
                    raise self._damaged(" ".join(found.split()))

    def _set_aside(self) -> Path:
        aside = self._free_name("damaged")
        self._set_journals_aside(aside)
        self.file.rename(aside)
        to_disk(self.file.parent)
        return aside

    def _set_journals_aside(self, aside: Path) -> None:
        """Before anything else takes the place of the file: a journal that stays would be played into it."""
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

    def _alone(self) -> AbstractContextManager[bool]:
        return file_lock(self._locks / "ledger.lock", wait=True)

    def _damaged(self, why: str) -> LedgerDamaged:
        return LedgerDamaged(
            f"the ledger {self.file} is damaged: {why}",
            hint="Put a copy of it back, or run `ftbridge recover --from-vendors`: it moves the file aside"
            " and fills a new one from what the vendors know.",
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
        # A transaction that reads first and writes later could not be upgraded beside another writer.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
