"""`python -m faults.power_submitter HOME DATA JOURNAL SYNCHRONOUS`: one submission, to be cut off from its power."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from sqlalchemy import Pool, event

from faults.kept_vendor import TARGET
from ftbridge import Bridge
from ftbridge.ledger import sqlite

KEY = "once"
WAL_FROM = {"WAL": (3, 0, 0), "DELETE": (99, 0, 0)}
"""From which version of SQLite on ledgers have a WAL, so that they have that journal."""


def choose_synchronous(synchronous: str) -> None:
    """Have ledgers of this process synced otherwise than ftbridge does it."""

    @event.listens_for(Pool, "checkout")
    def choose(connection: Any, *_rest: Any) -> None:
        connection.execute(f"PRAGMA synchronous = {synchronous}")


def main(home: str, data: str, journal: str, synchronous: str) -> None:
    """Submit, and be done."""
    sqlite._WAL_IS_SAFE_FROM = WAL_FROM[journal]
    if synchronous != "as it is":
        choose_synchronous(synchronous)
    with Bridge(Path(home)) as bridge:
        bridge.submit(data, TARGET, idempotency_key=KEY)


if __name__ == "__main__":
    main(*sys.argv[1:])
