"""Writing so that a crash at any moment leaves the old content or the new, never a part of either."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import xxhash

from ftbridge.exchange import exchange


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
