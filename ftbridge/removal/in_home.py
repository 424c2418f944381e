"""What the home has beside the providers' own artifacts: converted and imported data, and abandoned temporary files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ftbridge.context import Context
from ftbridge.files import remove
from ftbridge.home import is_in_use, temporary_folders
from ftbridge.ledger import Record
from ftbridge.removal.receipt import Removal, Remover

_A_MINUTE, _A_DAY = 60.0, 24 * 3600.0  # seconds
_HALF_WRITTEN = (".new-*", ".old-*")


def imported_folder(home: Path, record: Record) -> Path | None:
    """The folder of the home into which a vendor's files were read that the job was trained on."""
    imports = home.absolute() / "imports"
    data = record.job.spec.data
    return imports / data.relative_to(imports).parts[0] if data.is_relative_to(imports) else None


def remove_imports(
    context: Context, before: float, remover: Remover, records: list[Record], open_ids: set[str]
) -> None:
    """Remove imported data that only jobs have used which are over since `before`, in seconds since 1970.

    Data that no job has used yet may be about to be submitted, and stays for a day.
    """
    users: dict[Path, list[Record]] = {}
    for record in records:
        if folder := imported_folder(context.home, record):
            users.setdefault(folder, []).append(record)
    for folder in sorted((context.home.absolute() / "imports").glob("*")):
        jobs = users.get(folder, [])
        if any(record.job.id in open_ids for record in jobs):
            continue
        ends = [record.job.finished_at.timestamp() for record in jobs if record.job.finished_at]
        written = _written(folder)
        latest = max(ends) if ends and max(ends) >= written else written + _A_DAY
        if latest <= min(before, time.time()):
            job = jobs[-1].job.id if jobs else None
            remover.remove(Removal(job=job, kind="data", name=str(folder)), partial(remove, folder))


def remove_temporary(home: Path, before: float, remover: Remover) -> None:
    """Remove what processes that died have left half-written, and downloads that nobody went on with for a day."""
    for path in _abandoned(home.absolute()):
        if path.stat().st_mtime <= before:
            remover.remove(Removal(kind="temporary", name=str(path)), partial(remove, path))


def _abandoned(home: Path) -> Iterator[Path]:
    now = time.time()
    for folder in sorted(temporary_folders(home).glob("*")):
        if folder.stat().st_mtime < now - _A_MINUTE and not is_in_use(folder):
            yield folder
    rooms = [path for path in home.glob("*") if path.is_dir() and path.name not in ("local", "prepared", "temporary")]
    left = [path for pattern in _HALF_WRITTEN for path in home.glob(pattern)]
    left += [path for room in rooms for pattern in _HALF_WRITTEN for path in room.rglob(pattern)]
    left += [path for path in (home / "mock").rglob(".*") if path.is_file()]
    left += (home / "downloads").glob("*")
    yield from sorted({path for path in left if path.stat().st_mtime < now - _A_DAY})


def _written(folder: Path) -> float:
    """When the newest file in it was written, in seconds since 1970."""
    return max((file.stat().st_mtime for file in [folder, *folder.rglob("*")]), default=0.0)
