"""Which requests were sent from this machine, whichever ledger they stand in.

A home that was copied, or brought back from a backup, has intents that its other self may be sending right now, and
its lock is a file of its own. So each attempt at a request is claimed outside the home, by a file that only one
process can make; the files are for the time in which a vendor's listing may lag, and go with the machine's boot.
"""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

_KEPT_SECONDS = 24 * 3600.0


def claim(tag: str, attempt: int) -> bool:
    """Whether no other process of this user has sent the request of that tag for the time of that number.

    Where there is no folder for such files, nobody else is known to have.
    """
    try:
        folder = _folder()
        _forget_old(folder)
        os.close(os.open(folder / f"{tag}.{attempt}", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return False
    except OSError:
        return True
    return True


def _folder() -> Path:
    """Raises `OSError` where it cannot be made, or is another user's, who could then stop every job."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")  # the user's own, until the machine's end (basedir specification 0.8)
    folder = Path(runtime, "ftbridge") if runtime else Path(tempfile.gettempdir(), f"ftbridge-{os.getuid()}")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to another user")
    return folder


def _forget_old(folder: Path) -> None:
    for file in folder.iterdir():
        with suppress(FileNotFoundError):  # which another process has forgotten
            if time.time() - file.stat().st_mtime > _KEPT_SECONDS:
                file.unlink()
