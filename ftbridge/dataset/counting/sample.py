"""A random sample of a file's rows, by kind, and the tokens of all rows estimated from it."""

from __future__ import annotations

import math
import random
from operator import attrgetter, itemgetter
from typing import NamedTuple, Protocol

import msgspec
from msgspec import Struct
from stringzilla import find  # type: ignore[import-not-found,import-untyped,unused-ignore]  # it has no types

from ftbridge.dataset.canonical.example import Chat, Example, Preference
from ftbridge.dataset.reading.batch import Batch

_Z = 1.96  # standard errors on either side hold the truth 95 times in 100
_FEWEST = 50  # rows of a kind that are counted, if there are so many
_LEAST_KEPT = 2  # rows of a kind, from which a deviation can be estimated
_MOST_HELD = 32 * 2**20  # bytes of the sampled rows, as JSON; where they are larger fewer are kept
_SPARE = 256  # rows that are kept too many before those of the highest priorities are dropped
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


_PRIORITY = itemgetter(0)
_ASCII, _OTHER = Kind(True, False, False), Kind(False, False, False)


class Sampled(NamedTuple):
    """A row in the sample, as JSON: as bytes it takes less memory, and can be sent to another process.

    The rows of the lowest priorities are in the sample. `size` is what it has as canonical JSON.
    """

    priority: float
    line: int
    row: bytes
    size: int
    shape: type[Example]

    @property
    def example(self) -> Example:
        """What the row means."""
        return msgspec.json.decode(self.row, type=self.shape)


class Reservoir:
    """The rows of one kind: how many, how many bytes, and a uniform random sample of them: those of lowest priority.

    Which rows these are does not depend on the order in which they come, so that several processes can sample parts.
    """

    def __init__(self, kind: Kind, capacity: int) -> None:
        self.kind = kind
        self.rows = self.size = 0
        self.held = 0  # bytes of the rows that may be in the sample
        self.limit = 1.0 if capacity else 0.0  # the priority from which on none can be
        self._kept: list[Sampled] = []
        self._capacity = capacity

    @property
    def sample(self) -> list[Sampled]:
        """The sampled rows, by priority."""
        self._prune()
        return self._kept

    @property
    def may_halve(self) -> bool:
        """Whether there are more rows in the sample than have to be."""
        return len(self._kept) > _LEAST_KEPT

    def keep(self, row: Sampled) -> None:
        """Keep a row whose priority is below the limit, until others have lower ones."""
        self._kept.append(row)
        self.held += row.size
        if len(self._kept) >= self._capacity + _SPARE:
            self._prune()

    def add(self, later: Reservoir, lines_before: int) -> None:
        """Take in the rows of the same kind that come next, whose lines are counted from there.

        Only what is below the limits of both is a uniform sample of all.
        """
        self.rows += later.rows
        self.size += later.size
        self.limit = min(self.limit, later.limit)
        kept = [*self._kept, *(row._replace(line=row.line + lines_before) for row in later.sample)]
        self._kept = [row for row in kept if row.priority < self.limit]
        self.held = sum(row.size for row in self._kept)
        self._prune()

    def _prune(self) -> None:
        self._kept.sort(key=_PRIORITY)
        if len(self._kept) > self._capacity:
            self.limit = self._kept[self._capacity].priority
            self.held -= sum(row.size for row in self._kept[self._capacity :])
            del self._kept[self._capacity :]

    def halve(self) -> None:
        """Keep half as many rows from now on: a random half of a random sample is one as well."""
        self._capacity = max(_LEAST_KEPT, min(self._capacity, len(self._kept)) // 2)
        self._prune()


class RowSample:
    """An observer that keeps up to `size` random rows of each kind, fewer where they are large, and counts all."""

    def __init__(self, size: int, seed: int = 0) -> None:
        self._size, self._seed = size, seed
        self._rng = self._new_rng()
        self.reservoirs: dict[Kind, Reservoir] = {}

    def observe(self, batch: Batch) -> None:
        """Count some examples, and perhaps keep some."""
        rng = self._rng.random
        kinds: dict[Kind, list[int]] = {}
        for index, kind in enumerate(_kinds(batch)):
            kinds.setdefault(kind, []).append(index)
        sizes, priorities = batch.sizes, [rng() for _ in batch.lines]
        large = False
        for kind, rows in kinds.items():
            reservoir = self.reservoirs.setdefault(kind, Reservoir(kind, self._size))
            reservoir.rows += len(rows)
            reservoir.size += sum([sizes[index] for index in rows])
            for index in [index for index in rows if priorities[index] < reservoir.limit]:
                row, size, shape = batch.rows[index], sizes[index], type(batch.examples[index])
                reservoir.keep(Sampled(priorities[index], batch.lines[index], row, size, shape))
                large = large or size > _LARGE
        if large:
            self._bound()

    def part(self, number: int, parts: int) -> RowSample:
        """An empty sample for one of the file's parts, which draws other random numbers than those of the others.

        It keeps twice its share, which is enough where no kind of rows is in few parts only.
        """
        return RowSample(min(self._size, math.ceil(2 * self._size / parts)), self._seed + number)

    def add(self, later: RowSample, lines_before: int) -> None:
        """Take in the sample of the rows that come next, whose lines are counted from there."""
        for kind, more in later.reservoirs.items():
            reservoir = self.reservoirs.setdefault(kind, Reservoir(kind, self._size))
            reservoir.add(more, lines_before)
        self._bound()

    def _bound(self) -> None:
        """Keep fewer rows where they take too much memory."""
        kinds = self.reservoirs.values()
        while sum(kind.held for kind in kinds) > _MOST_HELD and any(kind.may_halve for kind in kinds):
            for kind in kinds:
                kind.halve()

    @property
    def examples(self) -> int:
        """How many examples the file has."""
        return sum(reservoir.rows for reservoir in self.reservoirs.values())

    def drawn(self) -> list[Sampled]:
        """The sample of all kinds together, no larger than `size`, by line."""
        rows = sorted(
            (row for reservoir in self.reservoirs.values() for row in reservoir.sample), key=attrgetter("line")
        )
        if len(rows) <= self._size:
            return rows
        return sorted(self._new_rng().sample(rows, self._size), key=attrgetter("line"))

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


def _kinds(batch: Batch) -> list[Kind]:
    """The kind of each row; the usual ones have neither tools nor images."""
    kinds = [_ASCII if row.isascii() else _OTHER for row in batch.rows]
    for index, row in batch.encoded.items():
        kinds[index] = Kind(row.isascii(), _has_tools(batch.examples[index]), has_images(row))
    return kinds


def has_images(row: bytes) -> bool:
    """Whether there are images in some canonical JSON."""
    return bool(find(row, _IMAGE) >= 0)


def _has_tools(example: Example) -> bool:
    chat = example.input if type(example) is Preference else example
    return isinstance(chat, Chat) and chat.tools is not None
