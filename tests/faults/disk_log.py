"""What a process does to the files below a folder, call by call, as strace saw it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_CALLS = (
    "open openat creat close write pwrite64 writev pwritev lseek fsync fdatasync ftruncate truncate rename"
    " renameat renameat2 unlink unlinkat mkdir mkdirat rmdir link linkat symlink symlinkat copy_file_range sendfile dup"
    " dup2 dup3"
)
_LINE = re.compile(r"(?P<thread>\d+) +(?P<name>\w+)\((?P<given>.*)\) += (?P<answer>\d+).*")
_UNFINISHED = re.compile(r"(?P<thread>\d+) +(?P<begun>.*) <unfinished \.\.\.>")
_RESUMED = re.compile(r"(?P<thread>\d+) +<\.\.\. \w+ resumed>(?P<rest>.*)")
_LONGEST = 2**24  # bytes of one write that strace shows


@dataclass(frozen=True)
class Write:
    node: int
    at: int
    data: bytes


@dataclass(frozen=True)
class Truncate:
    node: int
    size: int


@dataclass(frozen=True)
class Link:
    """A file or folder that is new has this name in the folder `node`."""

    node: int
    name: str
    new: int
    is_folder: bool


@dataclass(frozen=True)
class Unlink:
    node: int
    name: str


@dataclass(frozen=True)
class Rename:
    """Within one folder; with `exchange` both names stay."""

    node: int
    name: str
    new_name: str
    exchange: bool


@dataclass(frozen=True)
class Sync:
    node: int


Call = Write | Truncate | Link | Unlink | Rename | Sync


@dataclass(frozen=True)
class Recording:
    """`calls` begin with those that make what was there before; from `start` on they are the process's own."""

    calls: Sequence[Call]
    start: int


def tracing_works() -> bool:
    """Whether processes can be traced here."""
    if shutil.which("strace") is None:
        return False
    return (
        subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], check=False, capture_output=True).returncode == 0
    )


def record(command: Sequence[str], environment: Mapping[str, str], root: Path, trace: Path) -> Recording:
    """Run the command, which has to end well, and return what it did below `root`."""
    follower = _Follower(root)
    start = len(follower.log)
    strace = ["strace", "-f", "-qq", "-xx", "-s", str(_LONGEST), "-e", "signal=none", "-e"]
    strace += [f"trace={','.join(f'?{call}' for call in _CALLS.split())}", "-o", str(trace)]
    done = subprocess.run([*strace, *command], env=dict(environment), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name, given, answer in _calls(trace):
        follower.follow(name, given, answer)
    return Recording(follower.log, start)


def _calls(trace: Path) -> Iterator[tuple[str, list[str], int]]:
    """Each call that succeeded, when it was over: its name, what it was given, and what it answered."""
    begun: dict[str, str] = {}
    with trace.open() as lines:
        for line in lines:
            if unfinished := _UNFINISHED.match(line):
                begun[unfinished["thread"]] = unfinished["begun"]
                continue
            if resumed := _RESUMED.match(line):
                line = f"{resumed['thread']} {begun.pop(resumed['thread'])}{resumed['rest']}"
            if call := _LINE.match(line):
                yield call["name"], call["given"].split(", "), int(call["answer"])


@dataclass
class _Open:
    node: int
    appends: bool = False
    at: int = 0


@dataclass
class _Follower:
    """Knows which file a path or an open file stands for, as the kernel does; all threads are of one process."""

    root: Path
    log: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._names: dict[int, dict[str, int]] = {0: {}}
        self._sizes: dict[int, int] = {}
        self._open: dict[int, _Open] = {}
        for path in sorted(self.root.rglob("*")):
            folder, name = self._place("-", str(path))
            node = self._link(folder, name, is_folder=path.is_dir())
            if path.is_file():
                self._write(node, 0, path.read_bytes())
        self.log += [Sync(node) for node in (*self._names, *self._sizes)]

    def follow(self, name: str, given: list[str], answer: int) -> None:
        handler = getattr(self, f"_on_{name.removesuffix('64')}", None)
        if handler is not None:
            handler(given, answer)
        elif any(self._is_below(argument) for argument in given):
            raise AssertionError(f"{name} changes a file below {self.root}, and nobody here knows how")

    def _is_below(self, argument: str) -> bool:
        if argument.startswith('"'):
            return Path(_text(argument)).is_relative_to(self.root)
        return argument.isdigit() and int(argument) in self._open

    def _on_openat(self, given: list[str], handle: int) -> None:
        self._open.pop(handle, None)
        folder, name = self._place(given[0], _text(given[1]))
        if folder is None:
            return
        flags = given[2].split("|")
        known = self._names[folder].get(name) if name else folder
        node = self._link(folder, name, is_folder=False) if known is None else known
        if known is not None and "O_TRUNC" in flags and self._sizes[node]:
            self._truncate_to(node, 0)
        self._open[handle] = _Open(node, "O_APPEND" in flags)

    def _on_close(self, given: list[str], _answer: int) -> None:
        self._open.pop(int(given[0]), None)

    def _on_write(self, given: list[str], count: int) -> None:
        if file := self._open.get(int(given[0])):
            at = self._sizes[file.node] if file.appends else file.at
            self._write(file.node, at, _bytes(given[1])[:count])
            file.at = at + count

    def _on_pwrite(self, given: list[str], count: int) -> None:
        if file := self._open.get(int(given[0])):
            self._write(file.node, int(given[3]), _bytes(given[1])[:count])

    def _on_lseek(self, given: list[str], answer: int) -> None:
        if file := self._open.get(int(given[0])):
            file.at = answer

    def _on_fsync(self, given: list[str], _answer: int) -> None:
        if file := self._open.get(int(given[0])):
            self.log.append(Sync(file.node))

    _on_fdatasync = _on_fsync

    def _on_ftruncate(self, given: list[str], _answer: int) -> None:
        if file := self._open.get(int(given[0])):
            self._truncate_to(file.node, int(given[1]))

    def _on_mkdir(self, given: list[str], answer: int) -> None:
        self._on_mkdirat(["-", *given], answer)

    def _on_mkdirat(self, given: list[str], _answer: int) -> None:
        folder, name = self._place(given[0], _text(given[1]))
        if folder is not None:
            self._link(folder, name, is_folder=True)

    def _on_unlink(self, given: list[str], _answer: int) -> None:
        self._on_unlinkat(["-", *given], _answer)

    _on_rmdir = _on_unlink

    def _on_unlinkat(self, given: list[str], _answer: int) -> None:
        folder, name = self._place(given[0], _text(given[1]))
        if folder is not None:
            del self._names[folder][name]
            self.log.append(Unlink(folder, name))

    def _on_rename(self, given: list[str], answer: int) -> None:
        self._on_renameat2(["-", given[0], "-", given[1], ""], answer)

    def _on_renameat(self, given: list[str], answer: int) -> None:
        self._on_renameat2([*given, ""], answer)

    def _on_renameat2(self, given: list[str], _answer: int) -> None:
        folder, name = self._place(given[0], _text(given[1]))
        new_folder, new_name = self._place(given[2], _text(given[3]))
        assert folder == new_folder, "a file is renamed into another folder"
        if folder is not None:
            names, exchange = self._names[folder], given[4] == "RENAME_EXCHANGE"
            names[name], names[new_name] = names.get(new_name, -1), names[name]
            if not exchange:
                del names[name]
            self.log.append(Rename(folder, name, new_name, exchange))

    def _place(self, beginning: str, path: str) -> tuple[int | None, str]:
        """The folder and the name in it; the name is empty for the folder itself."""
        if beginning.isdigit() and not path.startswith("/"):
            start = self._open.get(int(beginning))
            folder, parts = (start.node if start else None), Path(path).parts
        elif Path(path).is_relative_to(self.root):
            folder, parts = 0, Path(path).relative_to(self.root).parts
        else:
            return None, ""
        for part in parts[:-1]:
            folder = None if folder is None else self._names[folder][part]
        return folder, parts[-1] if parts else ""

    def _link(self, folder: int | None, name: str, *, is_folder: bool) -> int:
        assert folder is not None
        node = len(self._names) + len(self._sizes)
        self._names[folder][name] = node
        if is_folder:
            self._names[node] = {}
        else:
            self._sizes[node] = 0
        self.log.append(Link(folder, name, node, is_folder))
        return node

    def _write(self, node: int, at: int, data: bytes) -> None:
        self._sizes[node] = max(self._sizes[node], at + len(data))
        self.log.append(Write(node, at, data))

    def _truncate_to(self, node: int, size: int) -> None:
        self._sizes[node] = size
        self.log.append(Truncate(node, size))


def _bytes(shown: str) -> bytes:
    return bytes.fromhex(shown.strip('"').replace("\\x", ""))


def _text(shown: str) -> str:
    return _bytes(shown).decode()
