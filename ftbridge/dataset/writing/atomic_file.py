"""Files that appear complete or not at all, and that are hashed while they are written."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_IMODE
from typing import TYPE_CHECKING

import xxhash

from ftbridge.errors import InputError
from ftbridge.files import PRIVATE_FILE, replacing, require_folder_of
from ftbridge.wording import printable

if TYPE_CHECKING:
    from typing_extensions import Buffer

_BUFFER = 2**18


class _HashedFile(io.FileIO):
    """A file that hashes what is written to it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "w")
        self.digest = xxhash.xxh3_128()

    def write(self, data: Buffer) -> int:
        written = super().write(data)
        self.digest.update(memoryview(data)[:written])
        return written


class Draft:
    """A file that is written under a temporary name, and gets its own once it is committed."""

    def __init__(self, path: Path) -> None:
        self.committed = False
        self._file = _HashedFile(path)
        self.buffer = io.BufferedWriter(self._file, _BUFFER)
        self.write = self.buffer.write

    def key(self) -> str:
        """The XXH3-128 of what has been written, in hex: it tells contents apart, and is no defence against forgery."""
        self.buffer.flush()
        return self._file.digest.hexdigest()

    def commit(self) -> None:
        """Let the file appear when its block ends."""
        self.committed = True


def mode_like(source: str | Path) -> int:
    """The mode for a file made of `source`, before the umask: never more open than that; "-" has none of its own."""
    file = Path(source)
    return S_IMODE(file.stat().st_mode) & 0o666 if file.is_file() else 0o666


@contextmanager
def atomic_file(path: Path, mode: int = PRIVATE_FILE) -> Iterator[Draft]:
    """A file that appears at `path` if it is committed, and leaves nothing if it is not.

    It has the `mode` less the umask. Raises `InputError` where it cannot be written, or where what is there is not a
    file: a device would be replaced as well.
    """
    try:
        if path.is_dir() or (path.exists() and not path.is_file()):
            what = "folder" if path.is_dir() else "device or pipe"
            raise InputError(f"{printable(str(path), 200)} is a {what}", hint="Name a file.")
        require_folder_of(path)
        with replacing(path, mode) as temporary:
            draft = Draft(temporary)
            with draft.buffer:
                yield draft
            if not draft.committed:
                temporary.unlink()
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise InputError(
            f"{printable(str(path), 200)} cannot be written: {reason}",
            hint="Free some space there, or choose another path.",
        ) from None
