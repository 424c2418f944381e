"""Compressed files, recognised by their first bytes and not by their names, and decompressed as they are read."""

from __future__ import annotations

import gzip
import io
from typing import Any, BinaryIO

from ftbridge.errors import MissingExtra

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_BUFFER = 2**18
_CHUNK = 2**12  # of compressed bytes: in a malicious file it may become a hundred megabytes


def decompressed(file: io.BufferedReader[io.FileIO]) -> BinaryIO:
    """The content of `file`, in constant memory; `file` itself where it is not compressed.

    In a truncated file everything before the end can be read, and then `EOFError` is raised; `OSError` or
    `zlib.error` where it is damaged, `MissingExtra` for zstd without zstandard.
    """
    try:
        start = file.peek(len(ZSTD))
    except OSError:  # the first read raises it again
        return file
    if start.startswith(GZIP):
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]  # it is one in all but name
    if start.startswith(ZSTD):
        return io.BufferedReader(_Zstandard(file), _BUFFER)
    return file


def is_compressed(file: BinaryIO) -> bool:
    """Whether `file`, as returned by `decompressed`, has other bytes than are on the disk."""
    return not isinstance(getattr(file, "raw", None), io.FileIO)


class _Zstandard(io.RawIOBase):
    """The frames of a file one after the other; the package's own reader takes a truncated one for complete."""

    def __init__(self, file: BinaryIO) -> None:
        try:
            import zstandard  # type: ignore[import-not-found,unused-ignore]  # an extra
        except ImportError:
            raise MissingExtra(
                "reading .zst needs the package zstandard",
                hint="pip install 'ftbridge[zst]', or decompress the file first.",
            ) from None
        self._library: Any = zstandard
        self._file = file
        self._frame: Any = None
        self._compressed, self._ready = b"", memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            compressed = self._compressed or self._file.read(_CHUNK)
            if not compressed:
                if self._frame is not None:
                    raise EOFError("it ends in the middle of a frame")
                return 0
            self._decompress(compressed)
        chunk = self._ready[: len(buffer)]
        buffer[: len(chunk)] = chunk
        self._ready = self._ready[len(chunk) :]
        return len(chunk)

    def _decompress(self, compressed: bytes) -> None:
        if self._frame is None:
            self._frame = self._library.ZstdDecompressor().decompressobj()
        try:
            self._ready = memoryview(self._frame.decompress(compressed))
        except self._library.ZstdError as problem:
            raise OSError(str(problem)) from None
        self._compressed = self._frame.unused_data
        if self._frame.eof:
            self._frame = None
