"""The power fails, after whatever call: one job is paid for, and the ledger knows it.

A submission is run once, and every call that changes a file is recorded. Then a disk is built for each moment, as it
may be when the power is back: what was synced is there, and of the rest all, nothing, or some. On each of them somebody
goes on, with `recover` or by submitting again: in turn on every second disk, or both on each of them with
FTBRIDGE_EVERY_CASE=1, where each single write may be lost, too.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from every_case import EVERY_CASE
from faults.disk_log import Recording, record, tracing_works
from faults.disk_states import DISK, ELSEWHERE, Tree, build, disks, empty_root
from faults.power_cut import Outcome, PowerCuts, counted

HOME = f"{DISK}/in/a/new/home"
IN_MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else None

pytestmark = [
    pytest.mark.skipif(not tracing_works(), reason="strace is not installed, or may trace nothing here"),
    pytest.mark.timeout(1800),  # hundreds of disks, each with a submission or a recovery of its own
]


def outcomes(cuts: PowerCuts, recording: Recording, journal: str) -> Iterator[Outcome]:
    """What comes of each disk, where somebody recovers, and where nobody does."""
    for number, (cut, tree) in enumerate(
        islice(disks(recording, every=EVERY_CASE), None, None, 1 if EVERY_CASE else 4)
    ):
        for recover in (True, False) if EVERY_CASE else (number % 2 == 0,):
            with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
                build(tree, Path(folder))
                yield cuts.go_on(cut, Path(folder, HOME), Path(folder, ELSEWHERE), journal, recover=recover)


def submission(
    cuts: PowerCuts, folder: Path, journal: str, synchronous: str = "as it is", before: Tree | None = None
) -> Recording:
    """What a submission does, call by call, where nothing was before, or what an earlier one left."""
    root = empty_root(folder) if before is None else folder / "again"
    if before:
        root.mkdir()
        build(before, root)
    command = cuts.submission(root / HOME, journal, synchronous)
    return record(command, cuts.environment(root / HOME, root / ELSEWHERE), root, folder / "trace")


@pytest.fixture
def cuts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PowerCuts:
    return PowerCuts(tmp_path, monkeypatch)


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_whenever_the_power_fails_one_job_is_paid_for_and_known(cuts: PowerCuts, tmp_path: Path, journal: str) -> None:
    found = counted(outcomes(cuts, submission(cuts, tmp_path, journal), journal))
    assert [outcome for outcome in found if not outcome.good] == []
    assert len(found) >= (100 if EVERY_CASE else 50)


def test_the_power_may_fail_again_while_somebody_goes_on(cuts: PowerCuts, tmp_path: Path) -> None:
    first = [tree for _cut, tree in disks(submission(cuts, tmp_path, "DELETE"), every=False)]
    rolled_back = [tree for tree in first if f"{HOME}/ledger.sqlite-journal" in tree and paid_for(tree)]
    found = counted(outcomes(cuts, submission(cuts, tmp_path, "DELETE", before=rolled_back[-1]), "DELETE"))
    assert [outcome for outcome in found if not outcome.good] == []
    assert len(found) >= (30 if EVERY_CASE else 15)


def paid_for(tree: Tree) -> bool:
    return any(name.startswith(f"{ELSEWHERE}/") for name in tree)


def test_these_cuts_find_a_ledger_that_forgets_as_its_folder_is_not_synced(cuts: PowerCuts, tmp_path: Path) -> None:
    found = outcomes(cuts, submission(cuts, tmp_path, "DELETE", "FULL"), "DELETE")
    assert any(outcome.forgotten for outcome in found)
