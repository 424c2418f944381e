"""Observers see every valid example of a file, so that one pass over the file serves several purposes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from ftbridge.dataset.canonical.example import Example
from ftbridge.dataset.data_file import Data
from ftbridge.dataset.findings import Diagnostics
from ftbridge.dataset.reading.source import open_source
from ftbridge.dataset.unforeseen import report_unforeseen


class Observer(Protocol):
    """Collects something about the valid examples of a file, in the order of their lines."""

    def observe(self, line: int, example: Example, data: bytes) -> None:
        """Take in the example on `line`; `data` is the example as canonical JSON, without a line end.

        Never alters `example`, and never raises because of what it contains.
        """
        ...


def show(observers: Sequence[Observer], line: int, example: Example, data: bytes) -> None:
    """Let all of them see an example."""
    for observer in observers:
        observer.observe(line, example, data)


def observe_file(path: Data, observers: Sequence[Observer], *, format: str | None = None) -> int:  # noqa: A002  # the word of the CLI
    """Read `path` for `observers` alone; the number of lines with errors, which they do not see.

    Raises `InputError` for what cannot be opened or read.
    """
    encode = msgspec.json.Encoder().encode
    diagnostics = Diagnostics()
    with open_source(path, format) as source:
        for _, example in source.examples(diagnostics):
            try:
                show(observers, diagnostics.line, example, encode(example))
            except Exception as unforeseen:
                report_unforeseen(unforeseen, diagnostics)
    return diagnostics.invalid.total()
