"""The sound rows of a dataset in canonical bytes, and what is to be known of each to compare and divide them."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import msgspec
import xxhash
from msgspec import Struct

from ftbridge.dataset.canonical.repeated_keys import repeated_keys
from ftbridge.dataset.canonical.texts import system_prompt
from ftbridge.dataset.canonical.verbatim import verbatim
from ftbridge.dataset.checking.near_duplicates import Signature, sketch
from ftbridge.dataset.findings import Diagnostics, Finding
from ftbridge.dataset.formats import FORMATS
from ftbridge.dataset.reading.lines import lines, opened
from ftbridge.dataset.reading.ranges import Range, byte_ranges, in_processes, within
from ftbridge.dataset.reading.rows import Read, Row, reader
from ftbridge.dataset.reading.source import open_source

_BUFFER = 2**18


class Share(Struct):
    """What one process has read: the rows one after the other in `file`, and of each, in columns, what is known.

    Line numbers count from the beginning of the share, which had `last` lines. A digest is the XXH3-128 of a row,
    a prompt the XXH3-64 of its system prompt; there are sketches only where they were wanted.
    """

    file: Path
    last: int
    findings: list[Finding]
    lines: array[int]
    sizes: array[int]
    digests: list[bytes]
    prompts: array[int]
    sketches: list[Signature]


def gather(
    path: str | Path,
    folder: Path,
    *,
    format: str | None,  # noqa: A002  # the word of the CLI
    sketched: bool,
    workers: int,
) -> Iterator[Share]:
    """Read `path`, in order, into files in `folder`: one share, or as many as `workers` where the file can be divided.

    Raises `InputError` for what cannot be opened or read.
    """
    with open_source(path, format) as source:
        if workers > 1 and source.divisible:
            spans = byte_ranges(Path(path), workers)
            parts = [folder / str(number) for number in range(len(spans))]
            read_range = partial(_read_range, Path(path), source.format, source.begun, source.canonical, sketched)
            yield from in_processes(read_range, workers, spans, parts)
        else:
            yield _read(source.rows, source.read, source.canonical, sketched, folder / "0")


def _read_range(path: Path, name: str, begun: int, canonical: bool, sketched: bool, span: Range, out: Path) -> Share:
    with opened(path) as file:
        rows = lines(within(file, span), mark=span.start == 0)
        return _read(rows, reader(FORMATS[name], begun), canonical, sketched, out)


def _read(rows: Iterable[tuple[int, Row]], read: Read, canonical: bool, sketched: bool, out: Path) -> Share:
    diagnostics = Diagnostics()
    encode = msgspec.json.Encoder().encode
    share = Share(out, 0, diagnostics.findings, array("Q"), array("Q"), [], array("Q"), [])
    with out.open("wb", buffering=_BUFFER) as file:
        for raw, example in read(rows, diagnostics):
            if canonical and not verbatim(raw, example):  # type: ignore[arg-type]  # a canonical row is a line
                repeated_keys(raw, diagnostics)  # type: ignore[arg-type]  # likewise
            data = encode(example) + b"\n"
            file.write(data)
            share.lines.append(diagnostics.line)
            share.sizes.append(len(data))
            share.digests.append(xxhash.xxh3_128_digest(data))
            share.prompts.append(xxhash.xxh3_64_intdigest(system_prompt(example).encode()))
            if sketched:
                share.sketches.append(sketch(example))
    share.last = diagnostics.line
    return share
