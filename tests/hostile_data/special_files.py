"""What has a name as a file has, and is none; or is no longer what it was."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "data.jsonl")
    return folder / "data.jsonl"


def listening(folder: Path) -> Path:
    """A socket that nobody accepts on; a short name, since that of a socket may have a hundred characters."""
    path = folder / "s"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))
    return path


def loop(folder: Path) -> Path:
    (folder / "data.jsonl").symlink_to("again.jsonl")
    (folder / "again.jsonl").symlink_to("data.jsonl")
    return folder / "data.jsonl"


def link_to(target: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / "data.jsonl").symlink_to(target)
        return folder / "data.jsonl"

    return make


def unreadable(folder: Path) -> Path:
    path = folder / "data.jsonl"
    path.touch(mode=0)
    return path


def named(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(b'{"text": "x"}\n')
        return folder / name

    return make


CASES: dict[str, Callable[[Path], Path | str]] = {
    "a named pipe": fifo,
    "a named pipe by the name of a table": lambda folder: fifo(folder).rename(folder / "data.csv"),
    "a named pipe by the name of Parquet": lambda folder: fifo(folder).rename(folder / "data.parquet"),
    "a socket": listening,
    "a folder": lambda folder: folder,
    "links in a circle": loop,
    "a link to nothing": link_to("nothing"),
    "a link to endless zeros": link_to("/dev/zero"),
    "endless zeros": lambda _: "/dev/zero",
    "endless noise": lambda _: "/dev/urandom",
    "a device without content": lambda _: "/dev/null",
    "the memory of the process": lambda _: "/proc/self/mem",
    "a file without permissions": unreadable,
    "a name that is too long": lambda folder: folder / ("n" * 300),
    "a name with half an emoji": lambda folder: str(folder / "\udcff.jsonl"),
    "a name of control characters": named("\x1b[31m\u202edata.jsonl"),
    "no name": lambda _: "",
}
