"""Two folders that swap their names at one stroke, which Python has no call for."""

from __future__ import annotations

import errno
import os
import secrets
import sys
from pathlib import Path

_HERE = -100  # AT_FDCWD: paths are as they stand
_EXCHANGE = 2  # RENAME_EXCHANGE of Linux (man 2 renameat2) and RENAME_SWAP of macOS (man 2 renamex_np) alike
_CANNOT = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)


def exchange(one: Path, other: Path) -> None:
    """Give each of two things in one folder the name of the other.

    Where the system or the file system cannot do that, as NFS, `other` is aside for a moment, whole, as `.old-…`.
    """
    number = _swap(os.fsencode(one), os.fsencode(other))
    if number in _CANNOT:
        aside = other.with_name(f".old-{secrets.token_hex(4)}")
        other.rename(aside)
        one.rename(other)
        aside.rename(one)
    elif number:
        raise OSError(number, os.strerror(number), str(other))


def _swap(one: bytes, other: bytes) -> int:
    """The error's number, 0 where there was none."""
    import ctypes  # here, since folders that are replaced are few, and it takes milliseconds

    system = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "darwin":
        failed = system.renamex_np(one, other, _EXCHANGE)
    elif hasattr(system, "renameat2"):  # of glibc 2.28 and newer musl
        failed = system.renameat2(_HERE, one, _HERE, other, _EXCHANGE)
    else:
        return errno.ENOSYS
    return ctypes.get_errno() if failed else 0
