"""A lock that is free when its process dies, and not when it is stopped: flock on a file of its own."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ftbridge.files import make_folder, open_private


@contextmanager
def file_lock(file: Path, *, wait: bool = False, shared: bool = False) -> Iterator[bool]:
    """Whether this process, and no other, now has the lock; with `wait` it waits until it has.

    Any number of processes may have it `shared`, while nobody has it alone.
    """
    make_folder(file.parent)
    with open_private(file, "wb") as handle:
        try:
            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
