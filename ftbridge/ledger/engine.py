"""Opening the database so that what is committed stays committed."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event

_WAL_IS_SAFE_FROM = (3, 51, 3)  # sqlite.org/wal.html: the WAL-reset bug of 3.7.0 to 3.51.2 could corrupt the file


def sqlite_engine(file: Path) -> Engine:
    """An engine on `file` that survives power loss after every commit and waits for other writers."""
    engine = create_engine(f"sqlite:///{file}", connect_args={"timeout": 30})
    journal = "WAL" if sqlite3.sqlite_version_info >= _WAL_IS_SAFE_FROM else "DELETE"

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # so that BEGIN below is ours, not the driver's
        connection.execute(f"PRAGMA journal_mode = {journal}")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes later could not be upgraded beside another writer.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
