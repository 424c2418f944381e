"""Writing so that a crash at any moment leaves the old content or the new, never a part of either."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import xxhash


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


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder beside `folder`, to be filled in the block; afterwards it takes the place of `folder`."""
    beside = folder.with_name(f".new-{secrets.token_hex(4)}")
    beside.mkdir()
    try:
        yield beside
        for path in [*beside.rglob("*"), beside]:
            to_disk(path)
        if folder.exists():
            shutil.rmtree(folder)
        beside.rename(folder)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    to_disk(folder.parent)
