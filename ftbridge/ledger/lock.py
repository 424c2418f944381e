"""A lock that death frees and a pause does not: flock on a file of the job's own."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def job_lock(home: Path, job_id: str) -> Iterator[bool]:
    """Whether this process, and no other, may now submit the job; held until the block ends.

    A lease would run out under a submitter that is stopped and later goes on; the kernel's
    lock stays with it, and is free the moment it dies.
    """
    folder = home / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{job_id}.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
