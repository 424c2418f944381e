"""Writing so that a crash at any moment leaves the old content or the new, never a part of either.

What is written here is its owner's alone, whatever the umask: it may be training data. What a user asks for by name
is given the modes that the umask wants once it is complete, by `follow_umask`.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_IMODE
from typing import IO, Any

import xxhash

from ftbridge.errors import InputError
from ftbridge.wording import printable

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
_AT_CWD = -100  # AT_FDCWD: relative paths start at the working folder
_EXCHANGE = 2  # RENAME_EXCHANGE of Linux (man 2 renameat2) and RENAME_SWAP of macOS (man 2 renamex_np) alike
_UNSUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)


def content_key(file: Path) -> str:
    """The XXH3-128 of the file's content in hex: it distinguishes contents, but does not prevent forgery."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, xxhash.xxh3_128).hexdigest()


def open_private(file: Path, mode: str) -> IO[Any]:
    """Open the file; a new one is its owner's alone."""
    return open(file, mode, opener=lambda path, flags: os.open(path, flags, PRIVATE_FILE))


@contextmanager
def replacing(file: Path, mode: int = PRIVATE_FILE) -> Iterator[Path]:
    """An empty temporary file in the same folder, to be written in the block; it is then renamed to `file`.

    It has the suffix of `file`, which some writers need, and the `mode` less the umask. Where the block raises, or
    removes it, `file` stays as it was.
    """
    temporary = file.with_name(f".new-{secrets.token_hex(4)}{file.suffix}")
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
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


def make_folder(folder: Path, mode: int = PRIVATE_FOLDER) -> None:
    """Create the folder and its parents; the names of new ones have reached the disk when this returns.

    New ones have the `mode` less the umask.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing or [folder]):
        path.mkdir(mode, exist_ok=True)
    for path in missing:
        with suppress(PermissionError):  # a parent may be writable and not readable
            to_disk(path.parent)


def follow_umask(folder: Path) -> None:
    """Give what is in the folder, and the folder itself, the modes of files and folders that are new here."""
    sample = folder / f".new-{secrets.token_hex(4)}"
    sample.mkdir()
    mode = S_IMODE(sample.stat().st_mode)
    sample.rmdir()
    for path in [*folder.rglob("*"), folder]:
        path.chmod(mode if path.is_dir() else mode & 0o666)


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
    temporary.mkdir(PRIVATE_FOLDER)
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


def require_folder_of(file: Path) -> None:
    """Raises `InputError` where there is no folder for a file that is to be written, or the file itself is one."""
    if not can_be_named(file):
        raise InputError(f"{printable(repr(str(file)), 200)} is no path", hint="No name can have such a character.")
    if file.is_dir():
        raise InputError(f"{printable(str(file), 200)} is a folder", hint="Name a file.")
    folder = printable(str(file.parent), 200)
    if file.parent.exists() and not file.parent.is_dir():
        raise InputError(f"{folder} is a file, and no folder", hint="Choose another path.")
    if not file.parent.exists():
        hint = f"Make it with `mkdir -p {shlex.quote(folder)}`, or choose another path."
        raise InputError(f"there is no folder {folder}", hint=hint)


def can_be_named(file: Path) -> bool:
    """Whether the system takes the name of the file or folder: there is no NUL in it, and it is bytes."""
    try:
        return b"\0" not in os.fsencode(file)
    except UnicodeEncodeError:
        return False
