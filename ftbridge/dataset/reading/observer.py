"""Observers see every valid example of a file, so that one pass over the file serves several purposes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self, runtime_checkable

from ftbridge.dataset.data_file import Data
from ftbridge.dataset.findings import Diagnostics
from ftbridge.dataset.reading.batch import Batch, batches, encoded
from ftbridge.dataset.reading.source import open_source


class Observer(Protocol):
    """Collects something about the valid examples of a file, in the order of their lines."""

    def observe(self, batch: Batch) -> None:
        """Take in some examples. Never alters them, and never raises because of what they contain."""
        ...


@runtime_checkable
class Divisible(Observer, Protocol):
    """An observer of which each part of a file can have one of its own, in another process."""

    def part(self, number: int, parts: int) -> Self:
        """One that has seen nothing, for that one of the file's parts."""
        ...

    def add(self, later: Self, lines_before: int) -> None:
        """Take in what was seen of the part that comes next by one that counted its lines from there."""
        ...


def show(observers: Sequence[Observer], batch: Batch) -> None:
    """Let all of them see a batch."""
    for observer in observers:
        observer.observe(batch)


def observe_file(path: Data, observers: Sequence[Observer], *, format: str | None = None) -> int:  # noqa: A002  # the word of the CLI
    """Read `path` for `observers` alone; the number of lines with errors, which they do not see.

    Raises `InputError` for what cannot be opened or read.
    """
    diagnostics = Diagnostics()
    with open_source(path, format) as source:
        for taken in batches(source.rows, source.reader, diagnostics):
            for batch in encoded(taken, diagnostics):
                show(observers, batch)
    return diagnostics.invalid.total()
