"""The valid rows of a dataset in canonical bytes, with what `prepare` needs to compare and divide them."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import xxhash
from msgspec import Struct

from ftbridge.dataset.canonical.texts import system_prompt
from ftbridge.dataset.checking.minhash import Signature, signature_of
from ftbridge.dataset.data_file import Data
from ftbridge.dataset.findings import Diagnostics
from ftbridge.dataset.reading.batch import batches, encoded
from ftbridge.dataset.reading.parts import PartReader, part_reader
from ftbridge.dataset.reading.processes import run_in_processes
from ftbridge.dataset.reading.ranges import Range, byte_ranges, worker_count
from ftbridge.dataset.reading.rows import Reader, Row
from ftbridge.dataset.reading.source import open_source
from ftbridge.dataset.repeated import report_repeated_keys

_BUFFER = 2**18


class Chunk(Struct):
    """What one process has read: the rows one after the other in `file`, and columns with an entry for each row.

    Line numbers count from the beginning of the chunk, which has `line_count` lines. A digest is the XXH3-128 of a
    row, a prompt the XXH3-64 of its system prompt; there are MinHash signatures only where they were requested.
    """

    file: Path
    line_count: int
    diagnostics: Diagnostics
    lines: array[int]
    sizes: array[int]
    digests: list[bytes]
    prompts: array[int]
    signatures: list[Signature]


def read_chunks(
    path: Data,
    folder: Path,
    *,
    format: str | None,  # noqa: A002  # the word of the CLI
    signatures: bool,
    workers: int | None,
) -> Iterator[Chunk]:
    """Read `path`, in order, into files in `folder`: one chunk, or one for each part of the file where several
    processes read it.

    Raises `InputError` for what cannot be opened or read.
    """
    with open_source(path, format) as source:
        processes = worker_count(Path(path), workers) if source.divisible else 1
        if processes > 1:
            ranges = byte_ranges(Path(path))
            files = [folder / str(number) for number in range(len(ranges))]
            read_range = partial(_read_range, part_reader(Path(path), source), signatures)
            yield from run_in_processes(read_range, processes, ranges, files)
        else:
            yield _read(source.rows, source.reader, signatures, folder / "0")


def _read_range(file: PartReader, signatures: bool, part: Range, out: Path) -> Chunk:
    with file.open(part) as (rows, read):
        return _read(rows, read, signatures, out)


def _read(rows: Iterable[tuple[int, Row]], read: Reader, signatures: bool, out: Path) -> Chunk:
    diagnostics = Diagnostics()
    chunk = Chunk(out, 0, diagnostics, array("Q"), array("Q"), [], array("Q"), [])
    with out.open("wb", buffering=_BUFFER) as file:
        for taken in batches(rows, read, diagnostics):
            for batch in encoded(taken, diagnostics):
                report_repeated_keys(batch, diagnostics)
                written = [row + b"\n" for row in batch.canonical_rows]
                file.write(b"".join(written))
                chunk.lines.extend(batch.lines)
                chunk.sizes.extend(map(len, written))
                chunk.digests += map(xxhash.xxh3_128_digest, written)
                chunk.prompts.extend(xxhash.xxh3_64_intdigest(system_prompt(one).encode()) for one in batch.examples)
                if signatures:
                    chunk.signatures += map(signature_of, batch.examples)
    chunk.line_count = diagnostics.line
    return chunk
