"""What is the case when the power is back, and what it comes to when somebody goes on."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from faults import kept_vendor
from faults.kept_vendor import TARGET, kept_jobs
from faults.power_submitter import KEY, WAL_FROM
from ftbridge import Bridge
from ftbridge.errors import FtbridgeError
from ftbridge.ledger import Ledger, sqlite
from small_data import write_rows


@dataclass(frozen=True)
class Outcome:
    """One cut, and what came of it.

    `forgotten` counts jobs that the vendor had, and that the ledger did not know to have been asked for; `stuck` those
    that `recover` could not send. `made` are the jobs that the vendor has in the end, and `known` says whether the
    ledger has just these.
    """

    cut: str
    forgotten: int = 0
    stuck: int = 0
    made: int = 0
    known: bool = False
    problem: str = ""

    @property
    def good(self) -> bool:
        """One job was paid for, is known, and nothing that was written down has gone."""
        return self == Outcome(self.cut, made=1, known=True)


class PowerCuts:
    """Somebody who submits one dataset, whatever happens."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.data = write_rows(folder / "rows.jsonl")
        self._site = folder / "site"
        self._patch = patch
        kept_vendor.install(self._site)
        patch.syspath_prepend(self._site)

    def submission(self, home: Path, journal: str, synchronous: str) -> list[str]:
        """The command that submits the dataset."""
        return [sys.executable, "-m", "faults.power_submitter", str(home), str(self.data), journal, synchronous]

    def environment(self, home: Path, vendor: Path) -> Mapping[str, str]:
        """What the command needs."""
        path = [str(self._site), str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {**os.environ, **_folders(home, vendor), "PYTHONPATH": os.pathsep.join(path)}

    def go_on(self, cut: str, home: Path, vendor: Path, journal: str, *, recover: bool) -> Outcome:
        """Recover what is in the home, if that is to be; in any case submit the dataset again, with the same key."""
        for name, folder in _folders(home, vendor).items():
            self._patch.setenv(name, folder)
        self._patch.setattr(sqlite, "_WAL_IS_SAFE_FROM", WAL_FROM[journal])
        paid, forgotten, stuck = set(kept_jobs().values()), 0, 0
        try:
            if paid:
                home.mkdir(parents=True, exist_ok=True)
                forgotten = len(paid - _asked_for(home))
            with Bridge(home) as bridge:
                if recover:
                    bridge.recover()
                    stuck = sum(job.remote_id is None for job in bridge.jobs())
                bridge.submit(self.data, TARGET, idempotency_key=KEY)
                jobs = bridge.jobs()
        except FtbridgeError as problem:
            return Outcome(cut, forgotten, stuck, len(kept_jobs()), problem=f"{type(problem).__name__}: {problem}")
        known = [job.remote_id for job in jobs] == list(kept_jobs())
        return Outcome(cut, forgotten, stuck, len(kept_jobs()), known)


def _folders(home: Path, vendor: Path) -> dict[str, str]:
    """Where the vendor is, and what may be kept until the machine is started again; or longer, as here."""
    return {kept_vendor.FOLDER: str(vendor), "XDG_RUNTIME_DIR": str(home.with_name("runtime"))}


def _asked_for(home: Path) -> set[str]:
    """The tags of the jobs that the ledger knows to have been asked for."""
    ledger = Ledger(home)
    try:
        return {record.job.id for record in ledger.jobs() if record.posted_at}
    finally:
        ledger.close()


def counted(outcomes: Iterator[Outcome]) -> list[Outcome]:
    """The outcomes, and on standard output what they come to."""
    found = list(outcomes)
    second, forgotten = sum(o.made > 1 for o in found), sum(o.forgotten for o in found)
    print(f"{len(found)} cuts, {second} second jobs, {forgotten} forgotten, {sum(not o.good for o in found)} not good")  # noqa: T201 - whoever runs with -s wants to see it
    return found
