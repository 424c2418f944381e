"""Which rows of a batch repeat a key."""

from __future__ import annotations

from contextlib import suppress

from ftbridge.dataset.canonical.repeated_keys import repeated_keys
from ftbridge.dataset.canonical.verbatim import verbatim
from ftbridge.dataset.findings import Diagnostics, RowIsFull
from ftbridge.dataset.reading.batch import Batch


def report_repeated_keys(batch: Batch, diagnostics: Diagnostics) -> None:
    """A warning for each key that its object already has; the usual rows have none for certain."""
    if not batch.canonical:
        return
    for index, row in batch.encoded.items():
        raw: bytes = batch.raws[index]  # type: ignore[assignment]  # a canonical row is a line
        if not verbatim(raw, row):
            with diagnostics.at(batch.lines[index]), suppress(RowIsFull):
                repeated_keys(raw, diagnostics)
