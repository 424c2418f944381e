"""Writing so that a crash at any moment leaves the old content or the new, never a part of either."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import xxhash

_HERE = -100  # AT_FDCWD: paths are as they stand
_EXCHANGE = 2  # RENAME_EXCHANGE of Linux (man 2 renameat2) and RENAME_SWAP of macOS (man 2 renamex_np) alike
_CANNOT = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)
_LONGEST = 200  # bytes in UTF-8; file systems take 255, of which an ending needs some
_NOT_IN_A_NAME = re.compile(r'[\x00-\x1f\x7f\ud800-\udfff/\\:*?"<>|]|^\.|[. ]$')


def content_key(file: Path) -> str:
    """The XXH3-128 of the file's content, in hex: it tells contents apart, and is no defence against forgery."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, xxhash.xxh3_128).hexdigest()


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """A temporary path beside `file`, to be written in the block; afterwards it takes the place of `file`.

    It keeps the ending of `file`, which some writers look at. When the block raises, or leaves nothing there, `file`
    stays as it was.
    """
    beside = file.with_name(f".new-{secrets.token_hex(4)}{file.suffix}")
    try:
        yield beside
        if beside.exists():
            to_disk(beside)
            beside.replace(file)
            to_disk(file.parent)
    finally:
        beside.unlink(missing_ok=True)


def write(file: Path, content: bytes) -> None:
    """Replace `file` by one that holds `content`."""
    with replacing(file) as beside:
        beside.write_bytes(content)


def to_disk(path: Path) -> None:
    """Return when the file or folder (its list of names) has reached the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Make the folder, and those that it is in; each that is new is on the disk by name before this returns."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for place in missing:
        with suppress(PermissionError):  # it may be one that can be written to, and not be read
            to_disk(place.parent)


def move(file: Path, place: Path) -> None:
    """Give a file that is on the disk another name in its folder, in place of what has that name."""
    file.replace(place)
    to_disk(place.parent)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder beside `folder`, to be filled in the block; afterwards it takes the place of `folder`.

    When the block raises, `folder` stays as it was. The old folder goes only when the new one has its name on the disk.
    """
    beside = folder.with_name(f".new-{secrets.token_hex(4)}")
    beside.mkdir()
    try:
        yield beside
        for path in [*beside.rglob("*"), beside]:
            to_disk(path)
        _put_in_place(beside, folder)
        to_disk(folder.parent)
    finally:  # the new folder where the block raised, the old one where that was exchanged for it
        shutil.rmtree(beside, ignore_errors=True)


def _put_in_place(beside: Path, folder: Path) -> None:
    """Rename `beside` to `folder`; what was there is then `beside`, or gone where it was empty."""
    try:
        beside.rename(folder)
    except OSError as problem:
        if problem.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        exchange(beside, folder)


def plain_name(name: str) -> str:
    """`name` as the name of one file or folder, which leads nowhere else, on any system.

    What may not stand in one becomes _; what was changed is kept apart from other names by a hash at its end.

    >>> plain_name("My tickets")
    'My tickets'
    >>> plain_name("../tickets")
    '_._tickets-3baa0513'
    """
    plain = _NOT_IN_A_NAME.sub("_", name)
    size = len(plain.encode("utf-8", "ignore"))
    if plain == name and 0 < size <= _LONGEST:
        return plain
    short = plain.encode("utf-8", "ignore")[: _LONGEST - 9].decode("utf-8", "ignore")
    return f"{short}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


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
