"""A file for what is read from the end, or more than once: where it comes through a pipe, a private copy."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ftbridge.dataset.data_file import Data
from ftbridge.dataset.reading.lines import READ_ERRORS, cannot_read
from ftbridge.files import open_private

_CHUNK = 2**20


@contextmanager
def on_disk(path: Data, content: BinaryIO, *, is_there: bool) -> Iterator[Path]:
    """The path itself where the content `is_there`; else that of a temporary file, its owner's alone, with all of it.

    Raises `InputError` where the content cannot be read to its end.
    """
    if is_there:
        yield Path(path)
        return
    with tempfile.TemporaryDirectory(prefix="ftbridge-") as folder:
        copy = Path(folder) / "data"
        copy_of(content, copy)
        yield copy


def copy_of(content: BinaryIO, file: Path) -> None:
    """Write all of the content to a new file, which is its owner's alone. Raises `InputError` as `on_disk` does."""
    with open_private(file, "wb") as copy:
        while chunk := _next(content):
            copy.write(chunk)


def _next(content: BinaryIO) -> bytes:
    try:
        return content.read(_CHUNK)
    except READ_ERRORS as problem:
        raise cannot_read(0, problem) from None
