"""How much texts are alike: the cosine of their TF-IDF vectors over runs of characters. No model, and no network.

The weights are those of scikit-learn's `TfidfVectorizer` (smooth idf, rows of length 1), whose results the tests
compare; the runs are hashed, so that no vocabulary is kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from numpy import int64, uint64
    from numpy.typing import NDArray

    Integers: TypeAlias = NDArray[int64]

Matrix: TypeAlias = Any  # scipy's csr_array, which has no types

_SIZE, _SIZE_WITHOUT_SPACES = 4, 2  # characters of a run
_LONGEST = 4000  # characters of a text that are read
_BUCKETS = 2**20
_MIXER = 0x9E3779B97F4A7C15  # the golden ratio in 64 bits, after D. Knuth, The Art of Computer Programming 3, 6.4
_CELLS = 20_000_000  # of similarities that are computed at once
_SEPARATORS = re.compile(r"[\W_]+")
_WITHOUT_SPACES = re.compile(r"[\u0e00-\u0eff\u1780-\u17ff\u2e80-\u9fff]")  # Thai, Lao, Khmer, Chinese, Japanese
_DIGIT = re.compile(r"\d")


class Neighbours(NamedTuple):
    """For each text the most alike of the others, the most alike first: their indices, and the cosines."""

    indices: Any
    cosines: Any


class Likeness:
    """The texts that others are compared with; runs that many of them have count little."""

    def __init__(self, texts: Sequence[str]) -> None:
        import numpy

        counts = _counts(texts)
        seen = numpy.bincount(counts.indices, minlength=_BUCKETS)
        self._idf = numpy.log((1 + len(texts)) / (1 + seen)) + 1
        self.vectors = self._weighed(counts)

    def of(self, texts: Sequence[str]) -> Matrix:
        """The vectors of other texts, by the same weights."""
        return self._weighed(_counts(texts))

    def among(self, chosen: Sequence[int], count: int) -> Neighbours:
        """So many neighbours of each of the texts at these indices, itself left out."""
        return nearest(self.vectors[[*chosen]], self.vectors, count, own=chosen)

    def to(self, texts: Sequence[str], count: int) -> Neighbours:
        """So many of the texts for each of these."""
        return nearest(self.of(texts), self.vectors, count)

    def _weighed(self, counts: Matrix) -> Matrix:
        import numpy

        counts.data = counts.data * self._idf[counts.indices]
        lengths = numpy.sqrt(numpy.add.reduceat(numpy.append(counts.data**2, 0.0), counts.indptr[:-1]))
        counts.data /= numpy.repeat(lengths, numpy.diff(counts.indptr))
        return counts


def nearest(queries: Matrix, vectors: Matrix, count: int, *, own: Sequence[int] | None = None) -> Neighbours:
    """The `count` nearest of `vectors` for each query; not the one at its index in `own`, which is itself."""
    import numpy

    count = min(count, vectors.shape[0] - (own is not None))
    found = numpy.zeros((queries.shape[0], count), numpy.int64), numpy.zeros((queries.shape[0], count))
    step = max(1, _CELLS // max(1, vectors.shape[0]))
    for start in range(0, queries.shape[0] if count else 0, step):
        cosines = (queries[start : start + step] @ vectors.T).toarray()
        if own is not None:
            cosines[numpy.arange(len(cosines)), own[start : start + step]] = -1.0
        best = numpy.sort(numpy.argpartition(-cosines, count - 1, axis=1)[:, :count], axis=1)
        order = numpy.argsort(-numpy.take_along_axis(cosines, best, axis=1), axis=1, kind="stable")
        best = numpy.take_along_axis(best, order, axis=1)
        found[0][start : start + step] = best
        found[1][start : start + step] = numpy.take_along_axis(cosines, best, axis=1)
    return Neighbours(*found)


def words_of(text: str) -> str:
    """A text in lower case, with single spaces between its words, and nothing else between them."""
    return " ".join(_SEPARATORS.sub(" ", text.casefold()).split())


def _counts(texts: Sequence[str]) -> Matrix:
    """How often each text has each run, by the hash of the run."""
    import numpy
    from scipy import sparse

    hashes = [_runs(_DIGIT.sub("0", words_of(text[:_LONGEST]))) for text in texts]  # numbers are seldom a topic
    ends = numpy.cumsum([0, *map(len, hashes)])
    indices = numpy.concatenate(hashes) if hashes else numpy.zeros(0, numpy.int64)
    counts = sparse.csr_array((numpy.ones(len(indices)), indices, ends), shape=(len(texts), _BUCKETS))
    counts.sum_duplicates()
    return counts


def _runs(text: str) -> Integers:
    import numpy

    size = _SIZE_WITHOUT_SPACES if _WITHOUT_SPACES.search(text) else _SIZE
    codes = numpy.frombuffer(f" {text} ".encode("utf-32-le", "surrogatepass"), numpy.uint32).astype(numpy.uint64)
    size = min(size, len(codes))
    runs: NDArray[uint64] = numpy.zeros(len(codes) - size + 1, numpy.uint64)
    for offset in range(size):
        runs = (runs ^ codes[offset : offset + len(runs)]) * numpy.uint64(_MIXER)
        runs ^= runs >> numpy.uint64(29)
    return (runs >> numpy.uint64(64 - 20)).astype(numpy.int64)
