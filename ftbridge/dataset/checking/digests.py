"""Digests of examples, by which equal ones are found without keeping the examples."""

from __future__ import annotations

import xxhash

from ftbridge.dataset.reading.batch import Batch

digest = xxhash.xxh3_128_digest
"""The XXH3-128 of an example's canonical bytes: equal for equal examples, and no defence against forgery."""
answer_digest = xxhash.xxh3_64_intdigest
"""The XXH3-64 of an answer, by which equal ones are counted."""


class Digests:
    """An observer that remembers which examples a file has."""

    def __init__(self) -> None:
        self.digests: set[bytes] = set()

    def observe(self, batch: Batch) -> None:
        """Remember some examples."""
        self.digests.update(map(digest, batch.rows))
