"""Hostile compressed files."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable
from itertools import repeat
from pathlib import Path
from random import Random

from hostile_data.rows import LINE

MB = 2**20


def gzipped(parts: Callable[[], Iterable[bytes]], name: str = "data.jsonl.gz") -> Callable[[Path], Path]:
    """A gzip file, written part by part, which are made then: what is kept would count as the memory of every case."""

    def make(folder: Path) -> Path:
        with gzip.open(folder / name, "wb", compresslevel=1) as file:
            file.writelines(parts())
        return folder / name

    return make


def of(make: Callable[[], bytes], name: str = "data.jsonl") -> Callable[[Path], Path]:
    """A file of these bytes."""

    def write(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(make())
        return path

    return write


def zstandard(parts: Iterable[bytes], *, window_log: int = 0) -> bytes:
    import zstandard

    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=window_log)
    frame = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return b"".join([*map(frame.compress, parts), frame.flush()])


def declared_window(log: int) -> bytes:
    """A frame of one empty block whose header asks for a window of 2^`log` bytes."""
    return b"\x28\xb5\x2f\xfd" + bytes([0, (log - 10) << 3]) + b"\x01\x00\x00"


def flipped() -> bytes:
    """A good file with some wrong bits."""
    data = bytearray(gzip.compress(LINE * 10_000, mtime=0))
    chance = Random(1)
    for _ in range(20):
        data[chance.randrange(20, len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def stored(size: int) -> bytes:
    """A deflate stream whose stored block says that it is longer than the file."""
    return (
        b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"\x01" + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little")
    )


CASES: dict[str, Callable[[Path], Path | str]] = {
    "gzipped blank lines, 5 MB": gzipped(lambda: repeat(b"\n" * MB, 5)),
    "gzipped blank lines, 100 MB": gzipped(lambda: repeat(b"\n" * MB, 100)),
    "gzipped blank lines of a table, 100 MB": gzipped(
        lambda: [b"prompt,completion\n", *repeat(b"\n" * MB, 100)], "data.csv.gz"
    ),
    "a gzipped line that does not end, 500 MB": gzipped(lambda: repeat(b"x" * MB, 500)),
    "gzipped lines of 20 MB, 500 MB": gzipped(lambda: repeat(b'{"a": "' + b"x" * 20 * MB + b'"}\n', 25)),
    "gzipped texts of 20 MB, 500 MB": gzipped(lambda: repeat(b'{"text": "' + b"x" * 20 * MB + b'"}\n', 25)),
    "gzipped zeros by the name of a table, 500 MB": gzipped(lambda: repeat(bytes(MB), 500), "data.csv.gz"),
    "gzip in gzip in gzip": of(lambda: gzip.compress(gzip.compress(gzip.compress(LINE)))),
    "20,000 empty gzip members": of(lambda: gzip.compress(b"", mtime=0) * 20_000 + gzip.compress(LINE)),
    "a gzip file name of 20 MB": of(lambda: b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 5 * MB),
    "gzip with wrong bits": of(flipped),
    "gzip with a wrong checksum": of(lambda: gzip.compress(LINE * 100)[:-8] + bytes(8)),
    "gzip, and then something else": of(lambda: gzip.compress(LINE * 100) + b"something else"),
    "a block that is longer than the file": of(lambda: stored(60_000)),
    "only the first bytes of gzip": of(lambda: b"\x1f\x8b"),
    "only the first bytes of zstd": of(lambda: b"\x28\xb5\x2f\xfd"),
    "zlib without gzip": of(lambda: zlib.compress(LINE)),
    "zstd of blank lines, 100 MB": of(lambda: zstandard(repeat(b"\n" * MB, 100))),
    "zstd of a line that does not end, 2 GB": of(lambda: zstandard(repeat(b"x" * MB, 2000))),
    "zstd of texts of 20 MB, 500 MB": of(lambda: zstandard(repeat(b'{"text": "' + b"x" * 20 * MB + b'"}\n', 25))),
    "zstd with a window of 128 MB": of(lambda: zstandard(repeat(LINE * 10_000, 170), window_log=27)),
    "zstd that asks for a window of 2 GB": of(lambda: declared_window(31)),
    "zstd that asks for a window of 128 MB": of(lambda: declared_window(27)),
    "zstd cut off": of(lambda: zstandard([LINE * 10_000])[:-20]),
    "100,000 empty zstd frames": of(lambda: declared_window(10) * 100_000 + zstandard([LINE])),
    "a zip archive": of(lambda: b"PK\x03\x04" + bytes(100), "data.zip"),
    "a tar archive": of(lambda: b"data.jsonl" + bytes(1000), "data.tar"),
}
