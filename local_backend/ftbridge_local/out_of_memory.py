"""Whether the system's out-of-memory killer ended a process: by the counters that Linux keeps of it.

A control group, such as a container or a session, counts its own (memory.events, cgroup-v2.rst of the kernel's
documentation); where it has no counter, that of the whole machine is read (/proc/vmstat, since Linux 4.13).
"""

from __future__ import annotations

import re
from pathlib import Path

from ftbridge.model import Frozen

_GROUP = Path("/proc/self/cgroup")
_GROUPS = Path("/sys/fs/cgroup")
_MACHINE = Path("/proc/vmstat")
_KILLS = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)


class OomCount(Frozen):
    """How many processes were ended for want of memory, by the counter in `file`."""

    file: str
    kills: int


def count_oom_kills() -> OomCount | None:
    """The count for this process's part of the system; `None` where it keeps none."""
    return next(filter(None, map(_read, (*_of_group(), _MACHINE))), None)


def killed_since(before: OomCount | None) -> bool:
    """Whether a process has been ended for want of memory since that count."""
    after = _read(Path(before.file)) if before else None
    return before is not None and after is not None and after.kills > before.kills


def _of_group() -> list[Path]:
    try:
        lines = _GROUP.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    groups = [line.removeprefix("0::/") for line in lines if line.startswith("0::/")]
    return [_GROUPS / group / "memory.events" for group in groups]


def _read(file: Path) -> OomCount | None:
    try:
        match = _KILLS.search(file.read_text("utf-8", "replace"))
    except OSError:
        return None
    return OomCount(file=str(file), kills=int(match[1])) if match else None
