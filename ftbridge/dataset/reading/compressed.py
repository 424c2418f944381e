"""Compressed files, recognised by their first bytes and not by their names, and decompressed as they are read."""

from __future__ import annotations

import gzip
import io
import os
import stat
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO

from ftbridge.errors import InputError, MissingExtra

if TYPE_CHECKING:
    from typing_extensions import Buffer

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_BUFFER = 2**18
_CHUNK = 2**10  # of compressed bytes: in a malicious file it may become thirty megabytes
HARMLESS = 2**28  # bytes of content, whatever they were compressed to
MOST_TIMES = 200  # as large as the compressed file; rows of real data become a tenth


class CountedFile(io.FileIO):
    """A file that knows how many of its bytes were read, even where it is a pipe."""

    count = 0

    def readinto(self, buffer: Buffer) -> int | None:
        """As of every file; its buffered reader calls it."""
        size = super().readinto(buffer)
        self.count += size or 0
        return size


class CountedStream(io.RawIOBase):
    """The same of a stream that is no file, as a program may have put in the place of standard input."""

    def __init__(self, stream: BinaryIO) -> None:
        self.count = 0
        self._stream = stream

    def readable(self) -> bool:
        """As of every file that is read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Likewise."""
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self.count += len(data)
        return len(data)


def decompressed(file: io.BufferedReader[CountedFile] | io.BufferedReader[CountedStream]) -> BinaryIO:
    """The content of `file`, in constant memory; `file` itself where it is not compressed.

    In a truncated file everything before the end can be read, and then `EOFError` is raised; `OSError` or
    `zlib.error` where it is damaged, `InputError` where it becomes far too large, `MissingExtra` for zstd without
    zstandard.
    """
    try:
        start = file.peek(len(ZSTD))
    except OSError:  # the first read raises it again
        return file
    if start.startswith(GZIP):
        return io.BufferedReader(_Content(gzip.GzipFile(fileobj=file).read1, file.raw), _BUFFER)
    if start.startswith(ZSTD):
        return io.BufferedReader(_Content(_Zstandard(file).read1, file.raw), _BUFFER)
    return file


def is_on_disk(file: BinaryIO) -> bool:
    """Whether `file`, as returned by `decompressed`, has the bytes of a file on the disk, from its beginning."""
    raw = getattr(file, "raw", None)
    return isinstance(raw, io.FileIO) and stat.S_ISREG(os.fstat(raw.fileno()).st_mode) and file.tell() == 0


class _Content(io.RawIOBase):
    """What a compressed file contains: `read` gives at most so many bytes, none at the end."""

    def __init__(self, read: Callable[[int], bytes | memoryview], file: CountedFile | CountedStream) -> None:
        self._read = read
        self._file = file
        self._size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._read(len(buffer))
        buffer[: len(content)] = content
        self._size += len(content)
        if self._size > HARMLESS and self._size > MOST_TIMES * self._file.count:
            raise InputError(
                f"{self._file.count:,} compressed bytes become more than {self._size:,}, as no real dataset does",
                hint="If it is one, decompress it first: gzip -dc FILE, or zstd -dc FILE.",
            )
        return len(content)


class _Zstandard:
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

    def read1(self, size: int) -> memoryview:
        """At most `size` bytes; none at the end. Raises `EOFError` where that is in a frame, `OSError` for damage."""
        while not self._ready:
            compressed = self._compressed or self._file.read(_CHUNK)
            if not compressed:
                if self._frame is not None:
                    raise EOFError("it ends in the middle of a frame")
                break
            self._decompress(compressed)
        chunk, self._ready = self._ready[:size], self._ready[size:]
        return chunk

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
