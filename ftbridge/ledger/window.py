"""Points in time that a wrong clock cannot move: what has passed between two of them, or that nobody knows.

The wall clock jumps, and a window measured by it closes too early: two jobs. Within one boot of one machine the
time since the boot counts, across processes as well; between machines, and across boots, the vendor's own `Date`.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from datetime import datetime
from functools import cache
from pathlib import Path

from ftbridge.model import Frozen

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")  # Linux: another one after each boot (random(4))
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # the first counts while the machine sleeps, too
_DATE_SECONDS = 1.0  # the resolution of an HTTP date (RFC 9110, 5.6.7)


class Moment(Frozen):
    """`uptime` is in seconds since the boot that `boot` names; `vendor` is the vendor's `Date`, where it is known."""

    boot: str | None
    uptime: float
    vendor: datetime | None = None


class Window(Frozen):
    """The time from `opened` on in which a request may still become a job that the vendor lists.

    `answered` says that the vendor was done with the request then, and `resend` what the window's end means where no
    job was seen: the request may be sent again, or the vendor has refused it. `training_file` is the vendor's id of
    the file that was asked to be trained on.
    """

    opened: Moment
    answered: bool = False
    resend: bool = True
    training_file: str | None = None


def this_moment(vendor: datetime | None = None) -> Moment:
    """Now; `vendor` is what the vendor says that it is."""
    return Moment(boot=boot(), uptime=time.clock_gettime(_CLOCK), vendor=vendor)


def elapsed(since: Moment, until: Moment) -> float | None:
    """The seconds between two moments, at least; `None` where no clock saw both."""
    if since.boot is not None and since.boot == until.boot:
        return until.uptime - since.uptime
    if since.vendor and until.vendor:
        return (until.vendor - since.vendor).total_seconds() - _DATE_SECONDS
    return None


@cache
def boot() -> str | None:
    """What names this boot of this machine; `None` where the system has no such name."""
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return _boot_session()


def _boot_session() -> str | None:
    """The name that macOS has for it."""
    program = shutil.which("sysctl")
    if program is None:
        return None
    asked = subprocess.run([program, "-n", "kern.bootsessionuuid"], capture_output=True, text=True, check=False)
    return asked.stdout.strip() or None
