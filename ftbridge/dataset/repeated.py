"""Which rows of a batch repeat a key."""

from __future__ import annotations

from contextlib import suppress

from ftbridge.dataset.canonical.repeated_keys import repeated_keys
from ftbridge.dataset.findings import Diagnostics, RowIsFull
from ftbridge.dataset.reading.batch import Batch


def report_repeated_keys(batch: Batch, diagnostics: Diagnostics) -> None:
    """A warning for each key that its object already has."""
    for index in batch.repeating:
        raw: bytes = batch.raws[index]  # type: ignore[assignment]  # only lines repeat keys
        with diagnostics.at(batch.lines[index]), suppress(RowIsFull):
            repeated_keys(raw, diagnostics)
