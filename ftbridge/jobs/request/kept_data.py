"""The copies of training data in the home: how long they stay, and who may remove them.

A converted file is needed from the moment that it is written until its job is over. Between writing it and committing
the job nothing but a shared lock says so; whoever removes files takes that lock alone.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ftbridge.errors import FtbridgeError, NotFound
from ftbridge.files import content_key, remove, replacing
from ftbridge.home import temporary_folders, usable
from ftbridge.ledger import Ledger, OpenJob, open_jobs
from ftbridge.ledger.lock import file_lock
from ftbridge.model import Spec
from ftbridge.provider import Artifact, Provider

_logger = logging.getLogger(__name__)


@contextmanager
def keeping(home: Path) -> Iterator[None]:
    """A block in which converted files are written, and their job committed: nobody removes them meanwhile."""
    with ExitStack() as held:
        with usable(home):
            held.enter_context(file_lock(_lock(home), wait=True, shared=True))
        yield


@contextmanager
def unneeded_files(home: Path, ledger: Ledger) -> Iterator[list[Path] | None]:
    """The converted files that no open job needs, and drafts; `None` while another process is converting.

    In the block no process begins to convert.
    """
    with file_lock(_lock(home)) as locked:
        if not locked:
            yield None
            return
        files = sorted((home / "prepared").glob("*"))
        needed = {name for job in open_jobs(ledger) for name in (*job.keys, *_rows_of(job.spec))} if files else set()
        yield [file for file in files if file.stem not in needed]


def keep_rows(home: Path, spec: Spec) -> Spec:
    """The spec with its rows that are in no file of the user's kept beside the converted files, for as long."""
    kept = {name: _kept(home, file) for name, file in (("data", spec.data), ("validation", spec.validation)) if file}
    return spec.model_copy(update=kept)


def _kept(home: Path, file: Path) -> Path:
    if not file.is_relative_to(temporary_folders(home.absolute())):
        return file
    path = home.absolute() / "prepared" / f"rows-{content_key(file)}{''.join(file.suffixes)}"
    with usable(home), replacing(path) as copy, copy.open("wb") as target, file.open("rb") as source:
        shutil.copyfileobj(source, target)
    return path


def _rows_of(spec: Spec) -> list[str]:
    return [file.stem for file in (spec.data, spec.validation) if file]


def remove_unneeded(home: Path, ledger: Ledger, provider: Provider | None = None) -> None:
    """Remove the copies of the data of jobs that are over, also the uploaded ones where they are files of the home.

    What cannot be removed now, because a process is converting or the disk does not let go of it, stays until the next
    time. It raises nothing: the job that has just ended matters more.
    """
    with suppress(OSError, FtbridgeError), unneeded_files(home, ledger) as files:
        for file in files or ():
            remove(file)
        if files is not None and provider:
            jobs = open_jobs(ledger)
            for one in unneeded_leftovers(provider, ledger_name=provider.name, jobs=jobs):
                forget_and_delete(one, provider, ledger)


def unneeded_leftovers(provider: Provider, ledger_name: str, jobs: list[OpenJob]) -> list[Artifact]:
    """The provider's leftovers that none of the open `jobs` needs."""
    keys = {key for job in jobs for key in job.keys}
    busy = any(job.provider == ledger_name for job in jobs)
    return [one for one in provider.leftovers() if (one.key not in keys if one.key else not busy)]


def forget_and_delete(artifact: Artifact, provider: Provider, ledger: Ledger) -> bool:
    """Delete it, and let no job use an uploaded file that is gone; whether it was there. Raises as `delete` does."""
    if artifact.kind == "file":
        ledger.forget_uploads(provider.account, [artifact.name])
    try:
        provider.delete(artifact)
    except NotFound:
        return False
    _logger.info("%s: deleted %s %s", provider.name, artifact.kind, artifact.name)
    return True


def _lock(home: Path) -> Path:
    return home / "locks" / "prepared.lock"
