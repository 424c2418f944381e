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

_AT_CWD = -100  # AT_FDCWD: relative paths start at the working folder
_EXCHANGE = 2  # RENAME_EXCHANGE of Linux (man 2 renameat2) and RENAME_SWAP of macOS (man 2 renamex_np) alike
_UNSUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)
_LONGEST = 200  # bytes in UTF-8; file systems take 255, and a suffix needs some
_NOT_IN_A_NAME = re.compile(r'[\x00-\x1f\x7f\ud800-\udfff/\\:*?"<>|]|^\.|[. ]$')


def content_key(file: Path) -> str:
    """The XXH3-128 of the file's content in hex: it distinguishes contents, but does not prevent forgery."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, xxhash.xxh3_128).hexdigest()


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """A temporary path in the same folder, to be written in the block; it is then renamed to `file`.

    It has the suffix of `file`, which some writers need. Where the block raises, or writes nothing, `file` stays as it
    was.
    """
    temporary = file.with_name(f".new-{secrets.token_hex(4)}{file.suffix}")
    try:
        yield temporary
        if temporary.exists():
            to_disk(temporary)
            temporary.replace(file)
            to_disk(file.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write(file: Path, content: bytes) -> None:
    """Replace `file` by one that holds `content`."""
    with replacing(file) as temporary:
        temporary.write_bytes(content)


def to_disk(path: Path) -> None:
    """Return when the file or folder (its list of names) has reached the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Create the folder and its parents; the names of new ones have reached the disk when this returns."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        with suppress(PermissionError):  # a parent may be writable and not readable
            to_disk(path.parent)


def move(file: Path, path: Path) -> None:
    """Rename a file that is on the disk within its folder, replacing what has that name."""
    file.replace(path)
    to_disk(path.parent)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it: whoever dies meanwhile leaves all of it or nothing.

    What is left then has a name `.old-…`. Raises `FileNotFoundError` where there is nothing.
    """
    if path.is_symlink() or not path.is_dir():
        path.unlink()
        return
    aside = path.with_name(f".old-{secrets.token_hex(4)}")
    path.rename(aside)
    shutil.rmtree(aside)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder next to `folder`, to be filled in the block; it is then renamed to `folder`.

    Where the block raises, `folder` stays as it was. The old folder is removed only once the new one has its name on
    the disk.
    """
    temporary = folder.with_name(f".new-{secrets.token_hex(4)}")
    temporary.mkdir()
    try:
        yield temporary
        for path in [*temporary.rglob("*"), temporary]:
            to_disk(path)
        _put_in_place(temporary, folder)
        to_disk(folder.parent)
    finally:  # the new folder where the block raised; the old one where the two were exchanged
        shutil.rmtree(temporary, ignore_errors=True)


def _put_in_place(temporary: Path, folder: Path) -> None:
    """Rename the new folder to `folder`; an old one, unless it was empty, then has the temporary name."""
    try:
        temporary.rename(folder)
    except OSError as problem:
        if problem.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        exchange(temporary, folder)


def plain_name(name: str) -> str:
    """`name` as the name of one file or folder that is valid on every system and is never a path.

    Characters that are not allowed become _; a changed name ends with a hash, so that no two become the same.

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
    """Exchange the names of two files or folders in one folder.

    Where the system or the file system, such as NFS, cannot, `other` has the name `.old-…` for a moment.
    """
    number = _swap(os.fsencode(one), os.fsencode(other))
    if number in _UNSUPPORTED:
        aside = other.with_name(f".old-{secrets.token_hex(4)}")
        other.rename(aside)
        one.rename(other)
        aside.rename(one)
    elif number:
        raise OSError(number, os.strerror(number), str(other))


def _swap(one: bytes, other: bytes) -> int:
    """The error number; 0 for success."""
    import ctypes  # imported here: it takes milliseconds, and folders are seldom replaced

    system = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "darwin":
        failed = system.renamex_np(one, other, _EXCHANGE)
    elif hasattr(system, "renameat2"):  # of glibc 2.28 and newer musl
        failed = system.renameat2(_AT_CWD, one, _AT_CWD, other, _EXCHANGE)
    else:
        return errno.ENOSYS
    return ctypes.get_errno() if failed else 0
