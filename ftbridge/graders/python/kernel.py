"""Walls that the kernel of Linux puts around this process, for root too; nothing in the process can take them down.

Landlock (landlock(7), from Linux 5.13) limits files to given folders, and from 6.12 signals to this process; a filter
of system calls (seccomp(2)) refuses sockets, other processes, and changes to the machine; a network namespace has no
way out. Both are called through ctypes: pyseccomp was last released in 2021, and landlock has only development
releases.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from collections.abc import Iterable, Iterator

from ftbridge.graders.python.syscalls import ARCHITECTURES, CLONE, CLONE3, DENIED, OWN_PROCESS_ONLY

_LANDLOCK_CREATE_RULESET, _LANDLOCK_ADD_RULE, _LANDLOCK_RESTRICT_SELF = 444, 445, 446  # on all architectures
_READ_FILE, _READ_DIR, _WRITE_FILE = 1 << 2, 1 << 3, 1 << 1
_FILE_RIGHTS = _READ_FILE | _WRITE_FILE
_RIGHTS_BY_VERSION = {1: 13, 2: 14, 3: 15, 4: 15}  # how many rights on files there are; 16 since
_TCP, _SCOPED = (1 << 0 | 1 << 1), (1 << 0 | 1 << 1)
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_NEW_USER, _NEW_NETWORK, _NEW_IPC, _CLONE_THREAD = 0x10000000, 0x40000000, 0x08000000, 0x00010000
_LOAD, _IF_EQUAL, _IF_GREATER_OR_EQUAL, _IF_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _REFUSE, _NOT_THERE = 0x7FFF0000, 0x80000000, 0x00050000 | 1, 0x00050000 | 38  # EPERM, ENOSYS
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data


def build_walls(folder: str, readable: Iterable[str]) -> list[str]:
    """Put up every wall that this kernel has, and name those that stand: "files", "system calls", "network"."""
    if platform.system() != "Linux":
        return []
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return []
    walls = []
    if libc.unshare(_NEW_USER | _NEW_NETWORK | _NEW_IPC) == 0:
        walls.append("network")
    if _landlock(libc, folder, readable):
        walls.append("files")
    if _seccomp(libc):
        walls.append("system calls")
    return walls


def _landlock(libc: ctypes.CDLL, folder: str, readable: Iterable[str]) -> bool:
    """Let this process read below `readable` and write below `folder`, and nothing else."""
    version = libc.syscall(_LANDLOCK_CREATE_RULESET, None, 0, 1)
    if version < 1:
        return False
    everything = (1 << _RIGHTS_BY_VERSION.get(version, 16)) - 1
    rules = struct.pack("QQQ", everything, _TCP if version >= 4 else 0, _SCOPED if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = libc.syscall(_LANDLOCK_CREATE_RULESET, rules, size, 0)
    if ruleset < 0:
        return False
    rights = {**dict.fromkeys(readable, _READ_FILE | _READ_DIR), folder: everything, os.devnull: _FILE_RIGHTS}
    for path, allowed in rights.items():
        try:
            opened = os.open(path, os.O_PATH | os.O_CLOEXEC)  # type: ignore[attr-defined,unused-ignore]  # of Linux
        except OSError:
            continue  # what is not there needs no rule
        allowed &= everything if os.path.isdir(path) else _FILE_RIGHTS  # noqa: PTH112 - pathlib costs time to import
        libc.syscall(_LANDLOCK_ADD_RULE, ruleset, 1, struct.pack("=Qi", allowed, opened), 0)
        os.close(opened)
    restricted: bool = libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return restricted


def _seccomp(libc: ctypes.CDLL) -> bool:
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        return False
    instructions = list(_filter(machine))
    program = b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
    buffer = ctypes.create_string_buffer(program)
    head = struct.pack("@HP", len(instructions), ctypes.addressof(buffer))
    installed: bool = libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, head, 0, 0) == 0
    return installed


def _filter(machine: str) -> Iterator[tuple[int, int, int, int]]:
    """The filter's instructions: code, how many to skip if true, and if false, and a value."""
    audit_name, column = ARCHITECTURES[machine]
    yield _LOAD, 0, 0, _ARCHITECTURE
    yield _IF_EQUAL, 1, 0, audit_name
    yield _RETURN, 0, 0, _KILL  # system calls in another architecture's numbers
    yield _LOAD, 0, 0, _NUMBER
    yield _IF_GREATER_OR_EQUAL, 0, 1, 0x40000000  # those of x32
    yield _RETURN, 0, 0, _KILL
    for numbers in DENIED:
        if numbers[column] is not None:
            yield _IF_EQUAL, 0, 1, numbers[column] or 0
            yield _RETURN, 0, 0, _REFUSE
    yield _IF_EQUAL, 0, 1, CLONE3[column]  # its flags cannot be seen; without it, threads are started by clone
    yield _RETURN, 0, 0, _NOT_THERE
    yield _IF_EQUAL, 0, 4, CLONE[column]
    yield _LOAD, 0, 0, _FIRST_ARGUMENT
    yield _IF_BITS, 1, 0, _CLONE_THREAD
    yield _RETURN, 0, 0, _REFUSE
    yield _RETURN, 0, 0, _ALLOW
    for numbers in OWN_PROCESS_ONLY:
        yield _IF_EQUAL, 0, 5, numbers[column] or 0
        yield _LOAD, 0, 0, _FIRST_ARGUMENT
        yield _IF_EQUAL, 2, 0, os.getpid()
        yield _IF_EQUAL, 1, 0, 0  # itself, for prlimit
        yield _RETURN, 0, 0, _REFUSE
        yield _RETURN, 0, 0, _ALLOW
    yield _RETURN, 0, 0, _ALLOW
