"""A part of a file of lines, opened in whichever process reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ftbridge.dataset.formats import FORMATS
from ftbridge.dataset.reading.lines import Line, lines
from ftbridge.dataset.reading.opening import open_file
from ftbridge.dataset.reading.ranges import Range, open_range
from ftbridge.dataset.reading.rows import Reader, reader
from ftbridge.dataset.reading.source import Source


class PartReader(NamedTuple):
    """What a process has to know of a file in order to read any part of it."""

    path: Path
    format: str
    detected_on: int
    canonical: bool

    @contextmanager
    def open(self, part: Range) -> Iterator[tuple[Iterator[tuple[int, Line]], Reader]]:
        """The lines of the part, numbered from 1, and how they are read. Raises `InputError` as `open_file` does."""
        with open_file(self.path) as file:
            rows = lines(open_range(file, part), skip_bom=part.start == 0)
            yield rows, reader(FORMATS[self.format], self.detected_on, canonical=self.canonical)


def part_reader(path: Path, source: Source) -> PartReader:
    """How the parts of `path` are read, which is open as `source`."""
    return PartReader(path, source.format, source.detected_on, source.reader.canonical)
