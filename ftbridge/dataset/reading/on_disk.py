"""A file for what is read from the end, or more than once: where it comes through a pipe, a private copy."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ftbridge.dataset.data_file import Data
from ftbridge.dataset.reading.lines import READ_ERRORS, cannot_read

_CHUNK = 2**20


@contextmanager
def on_disk(path: Data, content: BinaryIO, *, is_there: bool) -> Iterator[Path]:
    """The path itself where the content `is_there`; else that of a temporary file, its owner's alone, with all of it.

    Raises `InputError` where the content cannot be read to its end.
    """
    if is_there:
        yield Path(path)
        return
    with tempfile.NamedTemporaryFile(prefix="ftbridge-") as copy:
        try:
            shutil.copyfileobj(content, copy, _CHUNK)
        except READ_ERRORS as problem:
            raise cannot_read(0, problem) from None
        copy.flush()
        yield Path(copy.name)
