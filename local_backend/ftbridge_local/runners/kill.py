"""Killing a job's worker, and never another process that has got its number since."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path


def kill_holder(pid: int, lock: Path) -> bool:
    """Kill the process of that number if it holds the lock on the file; whether it was that process.

    One that is gone by now is no error.
    """
    if not hasattr(os, "pidfd_open"):
        return _kill_by_number(pid, lock)
    try:
        process = os.pidfd_open(pid)  # it stays this process, even if another one gets the number now
    except (OSError, OverflowError):
        return False
    try:
        if not _holds(pid, lock):
            return False
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(process, signal.SIGKILL)
    finally:
        os.close(process)
    return True


def _holds(pid: int, lock: Path) -> bool:
    """Whether one of the process's open files holds a lock on the file, by what Linux says of it."""
    known = lock.stat()
    with suppress(OSError):  # the process is gone, or another user's
        for file in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):  # it was closed
                is_lock = os.path.samestat(file.stat(), known)
                if is_lock and "FLOCK" in Path(f"/proc/{pid}/fdinfo/{file.name}").read_text("utf-8"):
                    return True
    return False


def _kill_by_number(pid: int, lock: Path) -> bool:
    """Where processes have no handles, as on macOS: right after it was seen to have the file open."""
    lsof = shutil.which("lsof")
    if lsof is None:
        return False
    opened_by = subprocess.run([lsof, "-t", "--", str(lock)], capture_output=True, text=True, check=False)
    if str(pid) not in opened_by.stdout.split():
        return False
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return True
