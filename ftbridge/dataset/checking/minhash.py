"""Examples that are nearly equal, found by MinHash."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from ftbridge.dataset.canonical.example import Example
from ftbridge.dataset.canonical.texts import texts
from ftbridge.errors import MissingExtra

SIMILARITY = 0.8
_PERMUTATIONS = 128
_BANDS = 16
_SHINGLE = 5

Signature: TypeAlias = Any  # rensa's RMinHash, which has no types


class NearDuplicates:
    """Remembers MinHash signatures of examples, at about 2 KB each, and finds those that resemble an earlier one.

    Two examples resemble each other when their shingles (runs of five words, or of five letters where there
    are few spaces) have an estimated Jaccard similarity of at least `SIMILARITY`.
    Raises `MissingExtra` without rensa.
    """

    def __init__(self) -> None:
        self._index = _rensa().RMinHashLSH(threshold=SIMILARITY, num_perm=_PERMUTATIONS, num_bands=_BANDS)
        self._signatures: dict[int, Signature] = {}

    def earlier(self, key: int, signature: Signature) -> int | None:
        """The key of the earliest example that this one resembles; None where it is new and now remembered."""
        first = next(self.resembled(signature), None)
        if first is None:
            self.remember(key, signature)
        return first

    def resembled(self, signature: Signature) -> Iterator[int]:
        """The keys of the remembered examples that this one resembles, the lowest first."""
        for candidate in sorted(self._index.query(signature)):
            if signature.jaccard(self._signatures[candidate]) >= SIMILARITY:
                yield int(candidate)

    def remember(self, key: int, signature: Signature) -> None:
        """Keep an example for those that are asked about later."""
        self._index.insert(key, signature)
        self._signatures[key] = signature


def signature_of(example: Example) -> Signature:
    """The MinHash signature of an example, which can be sent to another process.

    Raises `MissingExtra` without rensa.
    """
    signature = _rensa().RMinHash(num_perm=_PERMUTATIONS, seed=1)
    signature.update(_shingles("\n".join(texts(example))))
    return signature


def _rensa() -> Any:
    try:
        import rensa  # type: ignore[import-not-found,import-untyped,unused-ignore]  # an extra
    except ImportError:
        raise MissingExtra(
            "finding near duplicates needs the package rensa", hint="pip install 'ftbridge[near]'."
        ) from None
    return rensa


def _shingles(text: str) -> list[str]:
    words = text.lower().split()
    if len(text) > 20 * len(words):
        text = "".join(words)
        return [text[start : start + _SHINGLE] for start in range(max(1, len(text) - _SHINGLE + 1))]
    return [" ".join(words[start : start + _SHINGLE]) for start in range(max(1, len(words) - _SHINGLE + 1))]
