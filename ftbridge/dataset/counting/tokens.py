"""How many tokens a dataset has: counted, or estimated with an error bar."""

from __future__ import annotations

from ftbridge.dataset.canonical.example import Example
from ftbridge.dataset.counting.sample import RowSample, TokenCount, TokenCounter, has_images
from ftbridge.dataset.data_file import Data
from ftbridge.dataset.reading.batch import Batch
from ftbridge.dataset.reading.observer import observe_file

SAMPLE = 5000


def count_tokens(
    path: Data,
    counter: TokenCounter,
    *,
    exact: bool = False,
    sample: int = SAMPLE,
    limit: int | None = None,
    seed: int = 0,
    format: str | None = None,  # noqa: A002  # the word of the CLI
) -> TokenCount:
    """Count the tokens of `path`: see `TokenTally`. Rows with errors are skipped."""
    tally = TokenTally(counter, exact=exact, sample=sample, limit=limit, seed=seed)
    observe_file(path, [tally], format=format)
    return tally.count()


class TokenTally:
    """An observer that counts the tokens of every example if `exact`, else of a random `sample` of about that many.

    The rest is estimated from its bytes, by the tokens per byte of the sampled examples of its
    kind: ASCII or other letters, with or without tools and images. 5,000 gave ±0.8 % over 300,000 rows
    that were alike. The examples of more than `limit` tokens are listed, if it is given.
    """

    def __init__(
        self,
        counter: TokenCounter,
        *,
        exact: bool = False,
        sample: int = SAMPLE,
        limit: int | None = None,
        seed: int = 0,
    ) -> None:
        self._counter = counter
        self._exact = exact
        self._limit = limit
        self._sample = RowSample(0 if exact else sample, seed)
        self._tokens = 0
        self._tokens_with_images = 0
        self._over: list[tuple[int, int]] = []

    def observe(self, batch: Batch) -> None:
        """Count some examples, or perhaps keep them to be counted."""
        self._sample.observe(batch)
        if self._exact or self._limit is not None:
            for line, example, row, size in zip(batch.lines, batch.examples, batch.rows, batch.sizes, strict=True):
                self._count(line, example, row, size)

    def _count(self, line: int, example: Example, row: bytes, size: int) -> None:
        may_be_over = self._limit is not None and size > self._limit  # no tokenizer makes more tokens than bytes
        if not self._exact and not may_be_over:
            return
        tokens = self._counter.count(example)
        if self._exact:
            self._tokens += tokens
            if has_images(row):
                self._tokens_with_images += tokens
        if self._limit is not None and tokens > self._limit:
            self._over.append((line, tokens))

    def count(self) -> TokenCount:
        """The tokens of all examples so far."""
        counter, over = self._counter, tuple(self._over)
        if not self._exact:
            return self._sample.estimate(counter, over)
        uncounted = self._sample.with_uncounted_images(counter)
        return TokenCount(
            self._sample.examples, self._tokens, counter.error, counter.name, self._most(), over, uncounted
        )

    def _most(self) -> int | None:
        """What the exact number cannot exceed; `None` where images are not counted."""
        if self._sample.with_uncounted_images(self._counter):
            return None
        if not self._counter.error:
            return self._tokens
        return sum(reservoir.size for reservoir in self._sample.reservoirs.values()) + self._tokens_with_images
