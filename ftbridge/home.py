"""Where ftbridge keeps its state: `$FTBRIDGE_HOME`, or the platform's user data folder."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_data_path

from ftbridge.errors import StateError
from ftbridge.files import make_folder


def find_home() -> Path:
    """The home folder, created if it is missing. Raises `StateError` where it is not writable."""
    given = os.environ.get("FTBRIDGE_HOME")
    home = Path(given).expanduser().absolute() if given else user_data_path("ftbridge", appauthor=False)
    with usable(home):
        make_folder(home)
        if not os.access(home, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "it is not writable")
    return home


@contextmanager
def temporary_folder(home: Path) -> Iterator[Path]:
    """A private folder in the home for copies of data, removed when the block ends.

    It is locked meanwhile, so that one that is left by a process that died can be told from one in use.
    """
    with usable(home):
        make_folder(temporary_folders(home))
        folder = Path(tempfile.mkdtemp(dir=temporary_folders(home)))
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def temporary_folders(home: Path) -> Path:
    """Where they are."""
    return home / "temporary"


def is_in_use(folder: Path) -> bool:
    """Whether a process is in the block of that temporary folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


@contextmanager
def usable(home: Path) -> Iterator[None]:
    """A block that writes in the home: raises `StateError` where it is not writable, or full."""
    try:
        yield
    except OSError as problem:
        raise StateError(
            f"the home folder {home} cannot be used: {problem.strerror or problem}",
            hint="Free some space, or set FTBRIDGE_HOME to a folder that you can write to.",
        ) from problem
