"""What may be on a disk when the power is back: what was synced is, and of the rest anything may be, or be missing.

POSIX promises for a file that was synced that its content is there, and for a folder that was synced, its names. A
file's name is not there because the file was synced. Most file systems keep more than that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from faults.disk_log import Call, Link, Recording, Rename, Sync, Truncate, Unlink, Write

Tree = dict[str, bytes | None]
"""What is below a folder: the content by path, `None` for a folder."""
DISK, ELSEWHERE = "disk", "elsewhere"
_SECTOR = 512  # bytes that a disk writes at one stroke


def empty_root(folder: Path) -> Path:
    """A folder that holds a disk, and a folder elsewhere that has power all the time."""
    for name in (DISK, ELSEWHERE):
        (folder / "root" / name).mkdir(parents=True)
    return folder / "root"


def disks(recording: Recording, *, every: bool) -> Iterator[tuple[str, Tree]]:
    """Every root that there may be when the power is back, once, and when that was."""
    log = recording.calls
    safe = {call.new for call in log if isinstance(call, Link) and (call.node, call.name) == (0, ELSEWHERE)}
    seen: set[tuple[tuple[str, bytes | None], ...]] = set()
    for cut in range(recording.start, len(log) + 1):
        waiting = _unsynced(log, cut, {0, *safe})
        for lost in _losses(log, waiting, every=every):
            tree = _tree_after(log, cut, lost)
            if (known := tuple(tree.items())) not in seen:
                seen.add(known)
                yield f"after call {cut}, {len(lost)} of {len(waiting)} lost", tree


def build(tree: Tree, root: Path) -> None:
    """Write the files and folders below `root`."""
    for name, content in tree.items():
        if content is None:
            (root / name).mkdir(parents=True)
        else:
            (root / name).write_bytes(content)


def _unsynced(log: Sequence[Call], cut: int, safe: Collection[int]) -> list[int]:
    """Which of the first `cut` calls need not have reached the disk; what is done to `safe` nodes has."""
    waiting: dict[int, list[int]] = {}
    for number, call in enumerate(log[:cut]):
        if isinstance(call, Sync):
            waiting.pop(call.node, None)
        elif call.node not in safe:
            waiting.setdefault(call.node, []).append(number)
    return sorted(number for calls in waiting.values() for number in calls)


def _losses(log: Sequence[Call], waiting: Sequence[int], *, every: bool) -> Iterator[dict[int, int]]:
    """What the disk may have lost of the calls that wait: the number of each, and how many bytes of it are there.

    It may be nothing, everything, all content, all names, or what concerns one name; with `every` also what concerns
    one write, and a part of it.
    """
    content = [number for number in waiting if isinstance(log[number], Write | Truncate)]
    names = [number for number in waiting if number not in content]
    yield {}
    for lost in (waiting, content, names):
        yield dict.fromkeys(lost, 0)
    for number in waiting if every else names:
        yield {number: 0}
        yield dict.fromkeys((other for other in waiting if other != number), 0)
        yield dict.fromkeys((other for other in waiting if other >= number), 0)
        call = log[number]
        if isinstance(call, Write) and len(call.data) > _SECTOR:
            yield {number: len(call.data) // _SECTOR // 2 * _SECTOR}


def _tree_after(log: Sequence[Call], cut: int, lost: Mapping[int, int]) -> Tree:
    """What is on the disk after the first `cut` calls, without those that are lost."""
    names: dict[int, dict[str, int]] = {0: {}}
    contents: dict[int, bytearray] = {}
    for number, call in enumerate(log[:cut]):
        match call:
            case Link(new=new, is_folder=True):  # also where its name is lost, since it may be given another
                names[new] = {}
            case Link(new=new):
                contents[new] = bytearray()
        if number not in lost:
            _apply(call, names, contents)
        elif lost[number] and isinstance(call, Write):
            _apply(Write(call.node, call.at, call.data[: lost[number]]), names, contents)
    return dict(_walk(0, "", names, contents))


def _apply(call: Call, names: dict[int, dict[str, int]], contents: dict[int, bytearray]) -> None:
    match call:
        case Write(node, at, data):
            content = contents[node]
            content.extend(bytes(max(0, at - len(content))))
            content[at : at + len(data)] = data
        case Truncate(node, size):
            contents[node][size:] = bytes(max(0, size - len(contents[node])))
        case Link(node, name, new):
            names[node][name] = new
        case Unlink(node, name):
            names[node].pop(name, None)
        case Rename(node, name, new_name, exchange):
            if name in names[node]:
                moved, replaced = names[node].pop(name), names[node].pop(new_name, None)
                names[node][new_name] = moved
                if exchange and replaced is not None:
                    names[node][name] = replaced


def _walk(
    node: int, beginning: str, names: dict[int, dict[str, int]], contents: dict[int, bytearray]
) -> Iterator[tuple[str, bytes | None]]:
    for name, below in sorted(names[node].items()):
        path = f"{beginning}{name}"
        if below in names:
            yield path, None
            yield from _walk(below, f"{path}/", names, contents)
        else:
            yield path, bytes(contents[below])
