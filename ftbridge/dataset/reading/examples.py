"""The examples of a dataset, one after the other."""

from __future__ import annotations

from collections.abc import Iterator

from ftbridge.dataset.canonical.example import Example
from ftbridge.dataset.data_file import Data
from ftbridge.dataset.findings import Diagnostics
from ftbridge.dataset.reading.source import open_source
from ftbridge.errors import DataError


def read_examples(path: Data, *, format: str | None = None) -> Iterator[tuple[int, Example]]:  # noqa: A002  # the word of the CLI
    """The examples of `path` with their line numbers, from 1.

    Raises `DataError` at the first line that is not a valid example, with its line and JSON path, and
    `InputError` for what cannot be opened. Blank lines are skipped.
    """
    diagnostics = Diagnostics()
    with open_source(path, format) as source:
        for _, example in source.examples(diagnostics):
            raise_first_error(source.name, diagnostics)
            yield diagnostics.line, example
        raise_first_error(source.name, diagnostics)


def valid_examples(path: Data, format: str | None = None) -> Iterator[tuple[int, Example]]:  # noqa: A002  # the word of the CLI
    """The same, but lines that are not valid examples are skipped: for a first impression of a file."""
    diagnostics = Diagnostics()
    with open_source(path, format) as source:
        for _, example in source.examples(diagnostics):
            yield diagnostics.line, example


def raise_first_error(name: str, diagnostics: Diagnostics) -> None:
    """Raises `DataError` for the first error in the diagnostics of the file `name`, if there is one."""
    if diagnostics.errors:
        first = next(finding for finding in diagnostics.findings if finding.level == "error")
        raise DataError(
            f"{name}, line {first.line}, {first.path}: {first.message}",
            hint=first.fix,
            line=first.line,
            path=first.path,
        )
