"""Files that are there whole or not at all."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import xxhash

from ftbridge.dataset.printable import printable
from ftbridge.errors import InputError

if TYPE_CHECKING:
    from typing_extensions import Buffer

_BUFFER = 2**18


class _Hashed(io.RawIOBase):
    """Passes bytes on to a file, and hashes them on the way."""

    def __init__(self, file: io.FileIO) -> None:
        self.file = file
        self.digest = xxhash.xxh3_128()

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer) -> int:
        if self.file.closed:
            return memoryview(data).nbytes  # the file was given up, and what the buffer still holds with it
        written = self.file.write(data)
        self.digest.update(memoryview(data)[:written])
        return written


class Beside:
    """A file being written beside its place; `keep` makes it durable and moves it there."""

    def __init__(self, place: Path, file: io.FileIO) -> None:
        self._place = place
        self._hashed = _Hashed(file)
        self._buffer = io.BufferedWriter(self._hashed, _BUFFER)
        self.write = self._buffer.write

    def key(self) -> str:
        """The XXH3-128 of what has been written, in hex: it tells contents apart, and is no defence against forgery."""
        self._buffer.flush()
        return self._hashed.digest.hexdigest()

    def keep(self) -> None:
        """Move the file to its place. Nothing may be written after this."""
        self._buffer.flush()
        os.fsync(self._hashed.file.fileno())
        Path(str(self._hashed.file.name)).replace(self._place)


@contextmanager
def whole_file(place: Path) -> Iterator[Beside]:
    """A file that appears at `place` when it is kept, and leaves nothing when it is not.

    Raises `InputError` where it cannot be written.
    """
    path = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        with io.FileIO(path, "w") as file:
            yield Beside(place, file)
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise InputError(
            f"{printable(str(place), 200)} cannot be written: {reason}",
            hint="Make room there, or choose another place.",
        ) from None
    finally:
        path.unlink(missing_ok=True)
