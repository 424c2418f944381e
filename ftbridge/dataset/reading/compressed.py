"""Files that are packed, told by their first bytes and not by their names, and unpacked as they are read."""

from __future__ import annotations

import gzip
import io
from typing import Any, BinaryIO

from ftbridge.errors import MissingExtra

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_BUFFER = 2**18
_PIECE = 2**12  # of what is packed: it may become a hundred megabytes, if somebody means ill


def unpacked(file: io.BufferedReader[io.FileIO]) -> BinaryIO:
    """What `file` holds, in constant memory; itself where it is not packed.

    Where it breaks off all that is before is read, and then `EOFError` is raised; `OSError` or `zlib.error` where it
    is damaged, `MissingExtra` for zstd without zstandard.
    """
    try:
        start = file.peek(len(ZSTD))
    except OSError:  # who reads it will see
        return file
    if start.startswith(GZIP):
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]  # it is one in all but name
    if start.startswith(ZSTD):
        return io.BufferedReader(_Zstandard(file), _BUFFER)
    return file


def is_packed(file: BinaryIO) -> bool:
    """Whether `file`, as `unpacked` gave it, has other bytes than are on the disk."""
    return not isinstance(getattr(file, "raw", None), io.FileIO)


class _Zstandard(io.RawIOBase):
    """The frames of a file one after the other; the package's own reader takes one that is cut short for whole."""

    def __init__(self, file: BinaryIO) -> None:
        try:
            import zstandard  # type: ignore[import-not-found,unused-ignore]  # an extra
        except ImportError:
            raise MissingExtra(
                "reading .zst needs the package zstandard",
                hint="pip install 'ftbridge[zst]', or unpack the file first.",
            ) from None
        self._library: Any = zstandard
        self._file = file
        self._frame: Any = None
        self._packed, self._ready = b"", memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            packed = self._packed or self._file.read(_PIECE)
            if not packed:
                if self._frame is not None:
                    raise EOFError("it ends in the middle of a frame")
                return 0
            self._unpack(packed)
        some = self._ready[: len(buffer)]
        buffer[: len(some)] = some
        self._ready = self._ready[len(some) :]
        return len(some)

    def _unpack(self, packed: bytes) -> None:
        if self._frame is None:
            self._frame = self._library.ZstdDecompressor().decompressobj()
        try:
            self._ready = memoryview(self._frame.decompress(packed))
        except self._library.ZstdError as problem:
            raise OSError(str(problem)) from None
        self._packed = self._frame.unused_data
        if self._frame.eof:
            self._frame = None
