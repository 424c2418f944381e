"""How many transactions a second the ledger commits on this disk, as it syncs them, and with FULL instead of EXTRA."""

# ruff: noqa: T201  # a script that prints its figures

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from ftbridge.ledger import Ledger, Record

sys.path.insert(0, str(Path(__file__).parents[1]))

from ledger_rows import add, message

ROUNDS, CHANGES = 25, 40
SYNCHRONOUS = {"FULL": 2, "EXTRA": 3}


def seconds(ledger: Ledger, record: Record, synchronous: int) -> float:
    """What each of some changes takes: a row of the job and an event. The ledger's connection is one and the same."""
    with ledger.reading() as connection:
        connection.connection.driver_connection.execute(f"PRAGMA synchronous = {synchronous}")  # type: ignore[union-attr]  # it is sqlite3's
    began = time.perf_counter()
    for _change in range(CHANGES):
        changed = ledger.change(record, [message("a step further")])
        assert changed
        record = changed
    return (time.perf_counter() - began) / CHANGES


def main(folder: str | None = None) -> None:
    """The median of the rounds, which alternate, since a disk is not the same from one second to the next."""
    with tempfile.TemporaryDirectory(dir=folder) as home:
        ledger = Ledger(Path(home))
        add(ledger)
        taken: dict[str, list[float]] = {name: [] for name in SYNCHRONOUS}
        for _round in range(ROUNDS):
            for name, number in SYNCHRONOUS.items():
                taken[name].append(seconds(ledger, ledger.jobs()[0], number))
        ledger.close()
    for name, all_of_it in taken.items():
        middle = statistics.median(all_of_it)
        print(f"{name:6} {1 / middle:6.0f} transactions/s, {middle * 1000:.2f} ms each")


if __name__ == "__main__":
    main(*sys.argv[1:])
