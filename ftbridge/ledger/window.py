"""Points in time that do not depend on the wall clock, and the seconds between two of them, if they can be known.

The wall clock may jump, and a window measured by it could close too early, which would buy a second job. Within one
boot of one machine the time since boot is used, in all processes; between machines, and across boots, the vendor's
own `Date` header.
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
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # the first also counts while the machine sleeps
_DATE_SECONDS = 1.0  # the resolution of an HTTP date (RFC 9110, 5.6.7)


class Moment(Frozen):
    """`uptime` is in seconds since the boot that `boot` names; `vendor` is the vendor's `Date`, where it is known."""

    boot: str | None
    uptime: float
    vendor: datetime | None = None


class Window(Frozen):
    """The time from `opened` on in which a request may still become a job that the vendor lists.

    `answered` says that the vendor was done with the request then, and `resend` what follows if no job is listed by
    the window's end: the request may be sent again, or else the vendor has refused it. `training_file` is the vendor's
    ID of the training file.
    """

    opened: Moment
    answered: bool = False
    resend: bool = True
    training_file: str | None = None


def this_moment(vendor: datetime | None = None) -> Moment:
    """Now; `vendor` is the vendor's time."""
    return Moment(boot=boot(), uptime=time.clock_gettime(_CLOCK), vendor=vendor)


def elapsed(since: Moment, until: Moment) -> float | None:
    """The seconds between two moments, at least; `None` where they have no clock in common."""
    if since.boot is not None and since.boot == until.boot:
        return until.uptime - since.uptime
    if since.vendor and until.vendor:
        return (until.vendor - since.vendor).total_seconds() - _DATE_SECONDS
    return None


@cache
def boot() -> str | None:
    """The identifier of this boot of this machine; `None` where the system has none."""
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return _boot_session()


def _boot_session() -> str | None:
    """The identifier that macOS has for it."""
    program = shutil.which("sysctl")
    if program is None:
        return None
    asked = subprocess.run([program, "-n", "kern.bootsessionuuid"], capture_output=True, text=True, check=False, env={})
    return asked.stdout.strip() or None
