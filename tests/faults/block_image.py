"""A real file system in a file, as it is on the device at each moment of a process; needs root, and loop devices."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_MIB = 16
_CHANGES = "mkdir,write,pwrite64,ftruncate,fsync,fdatasync,rename,unlink"
_STOPPED = "--- stopped by SIGSTOP ---"


def missing() -> str:
    """What is missing here for images to be mounted and processes to be stopped; nothing where all is there."""
    if os.geteuid() != 0:
        return "only root may mount an image"
    programs = [name for name in ("strace", "mkfs.ext4", "losetup", "mount") if shutil.which(name) is None]
    if programs:
        return f"not installed: {', '.join(programs)}"
    return "" if Path("/dev/loop-control").exists() else "this kernel has no loop devices"


def make_image(image: Path) -> None:
    """An empty ext4, with nothing left to be done by the kernel when it has time."""
    with image.open("wb") as file:
        file.truncate(_MIB * 2**20)
    _run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0,root_owner", str(image))


@contextmanager
def mounted(image: Path, place: Path) -> Iterator[Path]:
    """The image's files, in `place`. Nothing reaches the device by the passing of time."""
    place.mkdir(exist_ok=True)
    _run("mount", "-o", "loop,commit=600", str(image), str(place))
    try:
        yield place
    finally:
        _run("umount", str(place))


def stopped(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[int]:
    """Run the command, which has to end well, and stop it after every call that changes a file; count the stops."""
    strace = ["strace", "-f", "-qq", "-o", "/dev/stderr", "-e", f"trace={_CHANGES}", "-e", "signal=SIGSTOP"]
    strace += ["-e", f"inject={_CHANGES}:signal=SIGSTOP"]
    count, lines = 0, []
    with subprocess.Popen([*strace, *command], env=dict(environment), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        for line in process.stderr:
            lines.append(line)
            if _STOPPED in line:
                count += 1
                yield count
                os.kill(int(line.split()[0]), signal.SIGCONT)
    assert process.returncode == 0, "".join(lines)


def copy(image: Path, to: Path) -> None:
    """What the device holds now, and nothing of what the kernel has still to write to it."""
    _run("cp", "--sparse=always", str(image), str(to))


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
