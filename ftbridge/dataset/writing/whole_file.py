"""Files that are there whole or not at all, and that know the hash of what they hold."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import xxhash

from ftbridge.errors import InputError
from ftbridge.files import replacing
from ftbridge.wording import printable

if TYPE_CHECKING:
    from typing_extensions import Buffer

_BUFFER = 2**18


class _Hashed(io.FileIO):
    """A file that hashes what is written to it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "w")
        self.digest = xxhash.xxh3_128()

    def write(self, data: Buffer) -> int:
        written = super().write(data)
        self.digest.update(memoryview(data)[:written])
        return written


class Draft:
    """A file being written beside its place, where it appears afterwards if it is to be `kept`."""

    def __init__(self, path: Path) -> None:
        self.kept = False
        self._file = _Hashed(path)
        self.buffer = io.BufferedWriter(self._file, _BUFFER)
        self.write = self.buffer.write

    def key(self) -> str:
        """The XXH3-128 of what has been written, in hex: it tells contents apart, and is no defence against forgery."""
        self.buffer.flush()
        return self._file.digest.hexdigest()

    def keep(self) -> None:
        """Let the file take its place."""
        self.kept = True


@contextmanager
def whole_file(place: Path) -> Iterator[Draft]:
    """A file that appears at `place` when it is kept, and leaves nothing when it is not.

    Raises `InputError` where it cannot be written.
    """
    try:
        with replacing(place) as beside:
            draft = Draft(beside)
            with draft.buffer:
                yield draft
            if not draft.kept:
                beside.unlink()
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise InputError(
            f"{printable(str(place), 200)} cannot be written: {reason}",
            hint="Make room there, or choose another place.",
        ) from None
