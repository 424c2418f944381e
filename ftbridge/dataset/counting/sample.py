"""A random sample of a file's rows, by kind, and the tokens of all rows estimated from it."""

from __future__ import annotations

import math
import random
from operator import itemgetter
from typing import NamedTuple, Protocol

from msgspec import Struct
from stringzilla import find  # type: ignore[import-not-found,import-untyped,unused-ignore]  # it has no types

from ftbridge.dataset.canonical.example import Chat, Example, Preference

_Z = 1.96  # standard errors on either side hold the truth 95 times in 100
_FEWEST = 50  # rows of a kind that are counted, if there are so many
_LEAST_KEPT = 2  # rows of a kind, from which a deviation can be estimated
_MOST_HELD = 32 * 2**20  # bytes of the sampled rows, as JSON; where they are larger fewer are kept
_LARGE = 2**12  # bytes of a row: no sample of smaller ones is too large
_IMAGE = b'"type":"image_url"'  # in a text of the row its quotes would have backslashes before them


class TokenCounter(Protocol):
    """One way of counting tokens.

    `error` is how far off it may be for the model meant, as a fraction: 0 where it is exact. `images` tells whether
    images are counted too.
    """

    name: str
    error: float
    images: bool

    def count(self, example: Example) -> int:
        """The tokens of one example, as the vendor bills them or as near as possible."""
        ...


class TokenCount(Struct, frozen=True):
    """The tokens of a file.

    The truth lies within `tokens` * (1 ± `error`), 95 times in 100, and never above `at_most`: where the counter is
    exact and every example was counted that is the count, else the bytes of the examples as JSON, since no tokenizer
    makes more tokens than bytes, and a template's marks around a message are fewer than JSON's. It is `None` where
    images are not counted. `over` lists the lines of the examples longer than the given limit, with their
    tokens; these are counted and not estimated. Of `without_images` examples the images are not among the tokens.
    """

    examples: int
    tokens: int
    error: float
    counter: str
    at_most: int | None = None
    over: tuple[tuple[int, int], ...] = ()
    without_images: int = 0


class Kind(NamedTuple):
    """What makes rows alike in tokens per byte: ASCII or other letters, with or without tools and images."""

    ascii_only: bool
    tools: bool
    images: bool


class Sampled(NamedTuple):
    """A row in the sample, with the size of its canonical JSON."""

    line: int
    example: Example
    size: int


class Reservoir:
    """The rows of one kind: how many, how many bytes, and a uniform random sample of them (reservoir sampling).

    `held` are the bytes of the sampled ones.
    """

    def __init__(self, kind: Kind, capacity: int, rng: random.Random) -> None:
        self.kind = kind
        self.rows = self.size = self.held = 0
        self.sample: list[Sampled] = []
        self._capacity = capacity
        self._rng = rng

    def add(self, line: int, example: Example, size: int) -> None:
        """Count a row of `size` bytes, and perhaps keep it in the sample."""
        self.rows += 1
        self.size += size
        if len(self.sample) < self._capacity:
            self.sample.append(Sampled(line, example, size))
            self.held += size
        elif self._capacity and (index := self._rng.randrange(self.rows)) < self._capacity:
            self.held += size - self.sample[index].size
            self.sample[index] = Sampled(line, example, size)

    def halve(self) -> None:
        """Keep half as many rows from now on: a random half of a random sample is one as well."""
        self._capacity = max(_LEAST_KEPT, min(self._capacity, len(self.sample)) // 2)
        if len(self.sample) > self._capacity:
            self.sample = self._rng.sample(self.sample, self._capacity)
            self.held = sum(row.size for row in self.sample)


class RowSample:
    """An observer that keeps up to `size` random rows of each kind, fewer where they are large, and counts all."""

    def __init__(self, size: int, seed: int = 0) -> None:
        self._size, self._seed = size, seed
        self._rng = random.Random(seed)  # noqa: S311  # a sample is to be repeatable, not secret
        self.reservoirs: dict[Kind, Reservoir] = {}

    def observe(self, line: int, example: Example, data: bytes) -> None:
        """Count one example, and perhaps keep it."""
        kind = kind_of(example, data)
        reservoir = self.reservoirs.get(kind)
        if reservoir is None:
            reservoir = self.reservoirs[kind] = Reservoir(kind, self._size, self._rng)
        reservoir.add(line, example, len(data))
        if len(data) > _LARGE and sum(other.held for other in self.reservoirs.values()) > _MOST_HELD:
            for other in self.reservoirs.values():
                other.halve()

    @property
    def examples(self) -> int:
        """How many examples the file has."""
        return sum(reservoir.rows for reservoir in self.reservoirs.values())

    def drawn(self) -> list[Sampled]:
        """The sample of all kinds together, no larger than `size`, by line."""
        rows = sorted((row for reservoir in self.reservoirs.values() for row in reservoir.sample), key=itemgetter(0))
        if len(rows) <= self._size:
            return rows
        return sorted(self._new_rng().sample(rows, self._size), key=itemgetter(0))

    def estimate(self, counter: TokenCounter, over: tuple[tuple[int, int], ...] = ()) -> TokenCount:
        """The tokens of all rows, estimated from about `size` of them; exact if these are all and so is `counter`."""
        total, variance = self._total(counter)
        spread = _Z * math.sqrt(variance) / total if total else 0.0
        uncounted = self.with_uncounted_images(counter)
        exact = not counter.error and not variance and not uncounted
        most = math.ceil(total) if exact else self._most(counter)
        return TokenCount(
            self.examples, round(total), counter.error + spread, counter.name, most, over, without_images=uncounted
        )

    def with_uncounted_images(self, counter: TokenCounter) -> int:
        """How many examples have images that the counter leaves out."""
        if counter.images:
            return 0
        return sum(reservoir.rows for reservoir in self.reservoirs.values() if reservoir.kind.images)

    def _most(self, counter: TokenCounter) -> int | None:
        """The bytes of all examples, and the tokens of their images; `None` where these are not known of every one."""
        most = 0
        for reservoir in self.reservoirs.values():
            most += reservoir.size
            if reservoir.kind.images:
                if not counter.images or len(reservoir.sample) < reservoir.rows:
                    return None
                most += sum(counter.count(row.example) for row in reservoir.sample)
        return most

    def _total(self, counter: TokenCounter) -> tuple[float, float]:
        """The total and its variance, by the ratio estimator in each stratum (Cochran, Sampling Techniques, 6.3)."""
        rng = self._new_rng()
        size = sum(reservoir.size for reservoir in self.reservoirs.values())
        total = variance = 0.0
        for stratum in self.reservoirs.values():
            number = min(len(stratum.sample), max(_FEWEST, math.ceil(self._size * stratum.size / size)))
            counted = [(counter.count(row.example), row.size) for row in rng.sample(stratum.sample, number)]
            ratio = sum(tokens for tokens, _ in counted) / sum(bytes_ for _, bytes_ in counted)
            total += ratio * stratum.size
            if 1 < number < stratum.rows:
                spread = sum((tokens - ratio * bytes_) ** 2 for tokens, bytes_ in counted) / (number - 1)
                variance += stratum.rows**2 * (1 - number / stratum.rows) * spread / number
        return total, variance

    def _new_rng(self) -> random.Random:
        """The same draw for every counter."""
        return random.Random(self._seed)  # noqa: S311  # likewise


def kind_of(example: Example, data: bytes) -> Kind:
    """The kind of a row, of which `data` is the canonical JSON."""
    chat = example.input if type(example) is Preference else example
    return Kind(data.isascii(), isinstance(chat, Chat) and chat.tools is not None, find(data, _IMAGE) >= 0)
