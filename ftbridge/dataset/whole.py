"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ftbridge.dataset.printable import printable
from ftbridge.errors import InputError


class Beside:
    """A file being written beside its place; `keep` makes it durable and moves it there."""

    def __init__(self, place: Path, file: BinaryIO) -> None:
        self.write = file.write
        self._place = place
        self._file = file

    def keep(self) -> None:
        """Move the file to its place. Nothing may be written after this."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        Path(self._file.name).replace(self._place)


@contextmanager
def whole_file(place: Path) -> Iterator[Beside]:
    """A file that appears at `place` when it is kept, and leaves nothing when it is not.

    Raises `InputError` where it cannot be written.
    """
    beside = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        with beside.open("wb", buffering=2**20) as file:
            yield Beside(place, file)
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise InputError(
            f"{printable(str(place), 200)} cannot be written: {reason}", hint="Choose another place with --out."
        ) from None
    finally:
        beside.unlink(missing_ok=True)
