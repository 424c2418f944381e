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
from faults.power_cut import Outcome, PowerCuts, counted

WHY_NOT = missing() if os.environ.get("FTBRIDGE_POWER_CUTS") == "1" else "set FTBRIDGE_POWER_CUTS=1"

pytestmark = [pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT), pytest.mark.timeout(3600)]


def outcomes(cuts: PowerCuts, folder: Path, journal: str, synchronous: str) -> Iterator[Outcome]:
    """What comes of each cut of one submission."""
    image, vendor, images = folder / "image", folder / "vendor", folder / "images"
    for made in (vendor, images):
        made.mkdir()
    make_image(image)
    with mounted(image, folder / "mounted") as disk:
        home = disk / "a" / "home"
        for cut in stopped(cuts.submission(home, journal, synchronous), cuts.environment(home, vendor)):
            copy(image, images / f"{cut:03}.image")
            shutil.copytree(vendor, images / f"{cut:03}.vendor")
    for after in sorted(images.glob("*.image")):
        with mounted(after, folder / "mounted") as disk:
            home, theirs = disk / "a" / "home", after.with_suffix(".vendor")
            yield cuts.go_on(f"after call {after.stem}", home, theirs, journal, recover=int(after.stem) % 2 == 0)
        after.unlink()


@pytest.fixture
def cuts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PowerCuts:
    return PowerCuts(tmp_path, monkeypatch)


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_whenever_the_power_fails_one_job_is_paid_for_and_known(cuts: PowerCuts, tmp_path: Path, journal: str) -> None:
    found = counted(outcomes(cuts, tmp_path, journal, "as it is"))
    assert [outcome for outcome in found if not outcome.good] == []
    assert len(found) >= 100


def test_these_cuts_find_a_ledger_that_forgets_as_its_folder_is_not_synced(cuts: PowerCuts, tmp_path: Path) -> None:
    found = counted(outcomes(cuts, tmp_path, "DELETE", "FULL"))
    assert sum(outcome.forgotten for outcome in found) > 0
