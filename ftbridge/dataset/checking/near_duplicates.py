"""Examples that say nearly the same, found by MinHash."""

from __future__ import annotations

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
    """Remembers sketches of examples, at about 2 KB each, and finds those that resemble an earlier one.

    Two examples resemble each other when the runs of five words (of five letters, where there
    are few spaces) that they share are, by estimate, at least `SIMILARITY` of all they have.
    Raises `MissingExtra` without rensa.
    """

    def __init__(self) -> None:
        self._index = _rensa().RMinHashLSH(threshold=SIMILARITY, num_perm=_PERMUTATIONS, num_bands=_BANDS)
        self._seen: dict[int, Signature] = {}

    def earlier(self, key: int, mine: Signature) -> int | None:
        """The key of the earliest example that this one resembles; None where it is new and now remembered."""
        for candidate in sorted(self._index.query(mine)):
            if mine.jaccard(self._seen[candidate]) >= SIMILARITY:
                return int(candidate)
        self._index.insert(key, mine)
        self._seen[key] = mine
        return None


def sketch(example: Example) -> Signature:
    """What an example is compared by: it can be sent to another process. Raises `MissingExtra` without rensa."""
    made = _rensa().RMinHash(num_perm=_PERMUTATIONS, seed=1)
    made.update(_shingles("\n".join(texts(example))))
    return made


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
