"""Which requests were sent from this machine, whichever ledger they are in.

A home that was copied, or restored from a backup, has intents that its original may be sending right now, and its
lock files are separate. So each attempt at a request is claimed outside the home, by a file that only one process can
create. The files matter while a vendor's listing may lag; they are removed after a day, or when the machine reboots.
"""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from stat import S_IMODE, S_ISDIR

from ftbridge.files import PRIVATE_FILE, PRIVATE_FOLDER

_KEPT_SECONDS = 24 * 3600.0


def claim(tag: str, attempt: int) -> bool:
    """Whether this process is the first of this user to make that attempt at the request with that tag.

    True as well where there is no folder for such files.
    """
    try:
        folder = _folder()
        _remove_old(folder)
        os.close(os.open(folder / f"{tag}.{attempt}", os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE_FILE))
    except FileExistsError:
        return False
    except OSError:
        return True
    return True


def _folder() -> Path:
    """Raises `OSError` where it cannot be created, or belongs to another user, who could then block every job."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")  # the user's own, until logout (basedir specification 0.8)
    folder = Path(runtime, "ftbridge") if runtime else Path(tempfile.gettempdir(), f"ftbridge-{os.getuid()}")
    folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    known = folder.lstat()  # not through a link, which another user may have put there
    if known.st_uid != os.getuid() or not S_ISDIR(known.st_mode):
        raise PermissionError(f"{folder} belongs to another user")
    if S_IMODE(known.st_mode) != PRIVATE_FOLDER:
        folder.chmod(PRIVATE_FOLDER)
    return folder


def _remove_old(folder: Path) -> None:
    for file in folder.iterdir():
        with suppress(FileNotFoundError):  # another process has removed it
            if time.time() - file.stat().st_mtime > _KEPT_SECONDS:
                file.unlink()
