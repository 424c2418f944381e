"""Whose doing a file is: what another user wrote, or may have written, is not taken for the user's own.

As for git's safe.directory, root's files are nobody's attack: who is root can do anything anyway. Under sudo the files
of whoever called it are the user's own.
"""

from __future__ import annotations

import errno
import grp
import os
import pwd
import stat
from pathlib import Path

_ROOT = 0
_SUDO = "SUDO_UID"


def read_regular(file: Path, largest: int) -> tuple[bytes, os.stat_result]:
    """The content of a regular file of at most `largest` bytes, and what the system says of that same file.

    Raises `OSError` for a pipe or a device, which may have no end, and for a larger file.
    """
    if not stat.S_ISREG(file.stat().st_mode):  # to open a device may already do something
        raise OSError(errno.EINVAL, "it is not a regular file", str(file))
    handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK)  # a pipe put there meanwhile would wait for a writer
    with os.fdopen(handle, "rb") as opened:
        known = os.fstat(handle)
        if not stat.S_ISREG(known.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file", str(file))
        content = opened.read(largest + 1)
    if len(content) > largest:
        raise OSError(errno.EFBIG, f"it is larger than {largest // 1024} KiB", str(file))
    return content, known


def doubt_about(file: Path, opened: os.stat_result) -> str | None:
    """Why the file, which was opened, may be the doing of another user; `None` where it cannot."""
    for known in (file.lstat(), opened):  # a link that another user made leads where that user wants
        if not is_own(known):
            return f"belongs to {_name(known.st_uid)}, not to {_name(os.geteuid())}"
    return "can be changed by other users" if _is_writable_by_others(opened) else None


def is_own(known: os.stat_result) -> bool:
    """Whether the file is the user's, or root's."""
    caller = os.environ.get(_SUDO, "")
    own = {os.geteuid(), _ROOT, *([int(caller)] if os.geteuid() == _ROOT and caller.isdecimal() else [])}
    return known.st_uid in own


def _is_writable_by_others(known: os.stat_result) -> bool:
    if known.st_mode & stat.S_IWOTH:
        return True
    return bool(known.st_mode & stat.S_IWGRP) and not _is_private_group(known.st_gid, known.st_uid)


def _is_private_group(gid: int, uid: int) -> bool:
    """Whether the group is its user's alone: it has the user's name and no other member, or is root's.

    Debian and Fedora give each user such a group, and with it files that the group may write.
    """
    try:
        group = grp.getgrgid(gid)
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        return gid == uid  # a container's user without a name
    return group.gr_name == user and set(group.gr_mem) <= {user}


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"the user with the number {uid}"
