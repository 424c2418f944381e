"""Where ftbridge keeps its state: `$FTBRIDGE_HOME`, or the platform's user data folder.

It holds training data, so it is its owner's alone.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_IMODE, S_ISVTX

from platformdirs import user_data_path

from ftbridge.errors import StateError, UsageError
from ftbridge.files import can_be_named, make_folder
from ftbridge.foreign.names import plain_name
from ftbridge.wording import printable

LEDGER = "ledger.sqlite"
_OTHERS = 0o077  # what group and others may do


def find_home(given: str | Path | None = None) -> Path:
    """The home folder, created if it is missing, and closed to others.

    Raises `StateError` where it is not writable, and `UsageError` for what is no path.
    """
    home = _path(given) if given else home_path()
    with usable(home):
        make_folder(home)
        _close_to_others(home)
        if not os.access(home, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "it is not writable")
    return home


def _path(given: str | Path) -> Path:
    try:
        path = Path(given).expanduser().absolute()
        if not can_be_named(path):
            raise ValueError("no name can have such a character")
    except (TypeError, ValueError, RuntimeError) as problem:  # of a user without a home, `~nobody`
        what = f"home = {printable(repr(given))} is no path: {str(problem).rstrip('.')}"
        raise UsageError(what, hint="Give the path of a folder, which is made where there is none.") from None
    return path


def address(home: Path) -> str:
    """Where a home is, HOST/MACHINE:FOLDER, by which homes that share a ledger are told from each other.

    MACHINE is from machine-id(5), which is not to be shown itself, and tells hosts of the same name apart.
    """
    machine = b""
    with suppress(OSError):  # only Linux with systemd has it
        machine = Path("/etc/machine-id").read_bytes().strip()
    known = f"/{hashlib.sha256(b'ftbridge ' + machine).hexdigest()[:8]}" if machine else ""
    return f"{socket.gethostname()}{known}:{home.absolute()}"


def home_path() -> Path:
    """Where the home folder is, or will be: $FTBRIDGE_HOME, or the platform's user data folder."""
    named = os.environ.get("FTBRIDGE_HOME")
    return Path(named).expanduser().absolute() if named else user_data_path("ftbridge", appauthor=False)


def _close_to_others(home: Path) -> None:
    """Take everybody else's access to a home where an earlier umask gave it, and to what an earlier version left in it.

    A folder that others need keeps its mode: another user's, one that is shared as /tmp is, and the user's login
    folder. What ftbridge writes into it is private all the same.
    """
    known = home.stat()
    if not known.st_mode & _OTHERS or known.st_uid != os.getuid() or known.st_mode & S_ISVTX or home == Path.home():
        return
    with suppress(OSError):  # a file system without modes
        home.chmod(S_IMODE(known.st_mode) & ~_OTHERS)
    for path in home.rglob("*") if (home / LEDGER).exists() else ():
        with suppress(OSError):  # it is gone, or another user's
            if not path.is_symlink():
                path.chmod(S_IMODE(path.stat().st_mode) & ~_OTHERS)


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


def evaluations_folder(home: Path, job: str) -> Path:
    """Where the evaluations of a job are kept; those of all jobs are in folders side by side."""
    return home / "evaluations" / plain_name(job)


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
