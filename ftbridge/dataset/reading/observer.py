"""What is told of every valid example of a file, so that one pass over the file serves several purposes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from ftbridge.dataset.canonical.example import Example
from ftbridge.dataset.findings import Diagnostics
from ftbridge.dataset.reading.source import open_source


class Observer(Protocol):
    """Collects something about the valid examples of a file, in the order of their lines."""

    def observe(self, line: int, example: Example, data: bytes) -> None:
        """Take in the example on `line`; `data` is the example as canonical JSON, without a line end.

        Never alters `example`, and never raises because of what it contains.
        """
        ...


def observe_file(path: str | Path, observers: Sequence[Observer], *, format: str | None = None) -> int:  # noqa: A002  # the word of the CLI
    """Read `path` for `observers` alone; the number of lines with errors, which they do not see.

    Raises `InputError` for what cannot be opened or read.
    """
    encode = msgspec.json.Encoder().encode
    diagnostics = Diagnostics()
    invalid = 0
    with open_source(path, format) as source:
        for _, example in source.examples(diagnostics):
            if diagnostics.findings:
                invalid += _forget_invalid_lines(diagnostics)
            data = encode(example)
            for observer in observers:
                observer.observe(diagnostics.line, example, data)
        return invalid + _forget_invalid_lines(diagnostics)


def _forget_invalid_lines(diagnostics: Diagnostics) -> int:
    """Clear the findings; the number of lines that they call invalid."""
    lines = {finding.line for finding in diagnostics.findings if finding.level == "error"}
    diagnostics.findings.clear()
    return len(lines)
