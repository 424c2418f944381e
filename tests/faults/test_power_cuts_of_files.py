"""The power fails while files are written: what is there is whole, and what somebody was told stays true."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.disk_log import record, tracing_works
from faults.disk_states import DISK, ELSEWHERE, Tree, build, disks, empty_root
from ftbridge.errors import LedgerDamaged
from ftbridge.ledger import Ledger
from ftbridge.model import Status
from ftbridge_local.job_folder import JobFolder

pytestmark = [
    pytest.mark.skipif(not tracing_works(), reason="strace is not installed, or may trace nothing here"),
    pytest.mark.timeout(900),
]

REPLACED = """
import sys
from pathlib import Path
from ftbridge import files
from ftbridge.files import whole_folder

if sys.argv[2] == "aside":
    files._swap = lambda *_: 22
root = Path(sys.argv[1])
with whole_folder(root / "disk" / "result") as beside:
    (beside / "deep").mkdir()
    (beside / "deep" / "weights").write_bytes(b"new" * 4000)
    (beside / "config").write_text("new")
(root / "elsewhere" / "told").touch()
"""
OLD: Tree = {"config": b"old", "readme": b"old", "deep": None, "deep/weights": b"old" * 4000}
NEW: Tree = {"config": b"new", "deep": None, "deep/weights": b"new" * 4000}

SET_DOWN = """
import sys
from pathlib import Path
from ftbridge.model import Status
from ftbridge_local.job_documents import JobSpec
from ftbridge_local.job_folder import JobFolder

root = Path(sys.argv[1])
job = JobFolder(root / "disk" / "local" / "jobs" / "ftb_aaaa")
lock = job.lock()
job.write_spec(JobSpec(model="tiny", base="tiny"))
job.reset(lock)
(root / "elsewhere" / "set down").touch()
since = count = 0
job.set_status(Status.VALIDATING)
for step in range(3):
    job.add_event("message", message=f"step {step}")
    job.add_event("metric", step=step)
    for event in job.events(since):
        since, count = int(event.cursor), count + 1
        (root / "elsewhere" / f"{count}={event.message or event.step or event.status}").touch()
job.set_status(Status.SUCCEEDED)
(root / "elsewhere" / "succeeded").touch()
"""

BEGUN_ANEW = """
import sys
from pathlib import Path
from ftbridge.ledger import Ledger, set_aside_if_damaged

home = Path(sys.argv[1], "disk")
set_aside_if_damaged(home)
Ledger(home).close()
"""


def cuts(script: str, root: Path, folder: Path, *more: str) -> Iterator[tuple[str, Path]]:
    """Each disk that the script may leave when the power fails, in a folder of its own."""
    recording = record([sys.executable, "-c", script, str(root), *more], os.environ, root, folder / "trace")
    count = 0
    for count, (cut, tree) in enumerate(disks(recording, every=True), start=1):
        build(tree, folder / str(count))
        yield cut, folder / str(count)
    assert count >= 20


def content(folder: Path) -> Tree:
    paths = sorted(folder.rglob("*"))
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in paths}


@pytest.mark.parametrize("way", ["at once", "aside"])
def test_a_folder_that_is_replaced_is_the_old_one_or_the_new_one_whole(tmp_path: Path, way: str) -> None:
    root = empty_root(tmp_path)
    (root / DISK / "result").mkdir()
    build(OLD, root / DISK / "result")
    for cut, after in cuts(REPLACED, root, tmp_path, way):
        found = [content(folder) for folder in (after / DISK).iterdir()]
        assert OLD in found or NEW in found, cut
        result = after / DISK / "result"
        if way == "at once" or result.exists():
            assert content(result) in (OLD, NEW), cut
        if (after / ELSEWHERE / "told").exists():
            assert content(result) == NEW, cut


def test_a_job_on_this_machine_is_as_it_was_told(tmp_path: Path) -> None:
    for cut, after in cuts(SET_DOWN, empty_root(tmp_path), tmp_path):
        job, elsewhere = JobFolder(after / DISK / "local" / "jobs" / "ftb_aaaa"), after / ELSEWHERE
        if (elsewhere / "set down").exists():
            assert job.exists, cut
        if job.exists:
            assert job.spec().model == "tiny", cut
            assert job.state().status in (Status.SUBMITTING, Status.VALIDATING, Status.SUCCEEDED), cut
        if (elsewhere / "succeeded").exists():
            assert job.state().status is Status.SUCCEEDED, cut
            assert [event.status for event in job.events()][-1] is Status.SUCCEEDED, cut
        if job.exists:
            begun_again(job)
            assert list(job.events())[-1].status is Status.VALIDATING, cut
        for number, what in [name.name.split("=") for name in elsewhere.glob("*=*")]:
            event = list(job.events())[int(number) - 1]
            assert str(event.message or event.step or event.status) == what, cut


def begun_again(job: JobFolder) -> None:
    """What whoever resumes the job does, and its worker's first act."""
    lock = job.lock()
    assert lock is not None
    job.reset(lock)
    job.set_status(Status.VALIDATING)
    os.close(lock)


def test_a_journal_is_never_left_beside_a_ledger_that_is_not_its_own(tmp_path: Path) -> None:
    root = empty_root(tmp_path)
    (root / DISK / "ledger.sqlite").write_bytes(b"cut off")
    (root / DISK / "ledger.sqlite-journal").write_bytes(b"and this is its journal" * 100)
    for cut, after in cuts(BEGUN_ANEW, root, tmp_path):
        home = after / DISK
        kept = [file.read_bytes() for file in home.glob("ledger.sqlite*-journal")]
        if (home / "ledger.sqlite").exists() and (home / "ledger.sqlite").read_bytes().startswith(b"SQLite"):
            assert not (home / "ledger.sqlite-journal").exists(), cut
        assert b"and this is its journal" * 100 in kept, cut
        try:
            Ledger(home).close()
        except LedgerDamaged:
            assert (home / "ledger.sqlite").read_bytes() == b"cut off", cut
