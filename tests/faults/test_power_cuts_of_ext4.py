"""The power fails under a real ext4: what is on its device after each call is mounted again, and somebody goes on.

With FTBRIDGE_POWER_CUTS=1, and as root. The copy of a mounted image is what a loss of power leaves: what the kernel has
not written to the device is in its memory alone. A disk that forgets what it said was written is not among this.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.block_image import copy, make_image, missing, mounted, stopped
from faults.power_cut import Desk, Outcome, counted

WHY_NOT = missing() if os.environ.get("FTBRIDGE_POWER_CUTS") == "1" else "set FTBRIDGE_POWER_CUTS=1"

pytestmark = [pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT), pytest.mark.timeout(3600)]


def outcomes(desk: Desk, folder: Path, journal: str, synchronous: str) -> Iterator[Outcome]:
    """What comes of each cut of one submission."""
    image, vendor, cuts = folder / "image", folder / "vendor", folder / "cuts"
    for place in (vendor, cuts):
        place.mkdir()
    make_image(image)
    with mounted(image, folder / "mounted") as disk:
        home = disk / "a" / "home"
        for cut in stopped(desk.submission(home, journal, synchronous), desk.environment(home, vendor)):
            copy(image, cuts / f"{cut:03}.image")
            shutil.copytree(vendor, cuts / f"{cut:03}.vendor")
    for after in sorted(cuts.glob("*.image")):
        with mounted(after, folder / "mounted") as disk:
            home, theirs = disk / "a" / "home", after.with_suffix(".vendor")
            yield desk.go_on(f"after call {after.stem}", home, theirs, journal, recover=int(after.stem) % 2 == 0)
        after.unlink()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_whenever_the_power_fails_one_job_is_paid_for_and_known(desk: Desk, tmp_path: Path, journal: str) -> None:
    found = counted(outcomes(desk, tmp_path, journal, "as it is"))
    assert [outcome for outcome in found if not outcome.good] == []
    assert len(found) >= 100


def test_these_cuts_find_a_ledger_that_forgets_because_its_folder_is_not_synced(desk: Desk, tmp_path: Path) -> None:
    found = counted(outcomes(desk, tmp_path, "DELETE", "FULL"))
    assert sum(outcome.forgotten for outcome in found) > 0
