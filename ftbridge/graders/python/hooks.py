"""The second wall: Python reports what code is about to do (`sys.addaudithook`), and it is refused with a sentence.

Alone it stops mistakes, not malice: code that reaches into memory gets around it. So where the kernel has no walls of
its own, ctypes is refused as well.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

_SENDS = ("socket.", "urllib.", "http.", "ftplib.", "smtplib.", "telnetlib.", "imaplib.", "poplib.", "nntplib.")
_STARTS = (
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.exec",
    "os.spawn",
    "os.system",
    "subprocess.Popen",
    "pty.spawn",
)
_SIGNALS = ("os.kill", "os.killpg", "signal.pthread_kill")
_CHANGES = (
    *("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate"),
    *("os.chmod", "os.chown", "os.chflags", "os.lockf", "os.utime", "os.setxattr", "os.removexattr"),
    *("shutil.rmtree", "shutil.move", "shutil.copyfile", "shutil.chown", "sqlite3.connect"),
)
_PATHS = {
    **dict.fromkeys(("os.rename", "os.link", "shutil.move"), slice(2)),
    **dict.fromkeys(("os.symlink", "shutil.copyfile"), slice(1, 2)),
}
"""Which arguments are paths that are changed, where it is not the first alone."""
_LISTS = ("os.listdir", "os.scandir", "os.walk", "glob.glob")
_REACHES = ("ctypes.dlsym", "ctypes.dlsym/handle", "ctypes.call_function", "ctypes.cdata", "ctypes.string_at")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def install_hook(folder: str, readable: Iterable[str], *, ctypes_too: bool) -> None:
    """Refuse, from now on, everything but reading below `readable` and writing below `folder`."""
    folder = os.path.realpath(folder)
    roots = tuple(map(os.path.realpath, (*readable, folder)))

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            writes = isinstance(flags, int) and flags & _WRITING
            _check(path, (folder, os.devnull) if writes else (*roots, os.devnull), "write" if writes else "read")
        elif event.startswith(_SENDS):
            raise PermissionError("a grader has no network")
        elif event in _STARTS:
            raise PermissionError("a grader may not start another process")
        elif event in _SIGNALS:
            raise PermissionError("a grader may not send signals")
        elif event in _CHANGES:
            for path in arguments[_PATHS.get(event, slice(1))]:
                _check(path, (folder,), "change")
        elif event in _LISTS and arguments:
            _check(arguments[0], roots, "list")
        elif ctypes_too and (event in _REACHES or (event == "ctypes.dlopen" and arguments[0])):
            raise PermissionError("a grader may not use ctypes on this system")

    sys.addaudithook(refuse)


def _check(path: Any, roots: Iterable[str], verb: str) -> None:
    if path is None or isinstance(path, int):  # a file that is open already
        return
    real = os.path.realpath(os.fsdecode(path))
    if not any(real == root or real.startswith(root.rstrip("/") + "/") for root in roots):
        raise PermissionError(f"a grader may not {verb} {real}")
