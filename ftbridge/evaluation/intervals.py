"""How far a figure can be trusted: 95 % confidence intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ftbridge.evaluation.clusters import LEVEL, Clusters, Floats, effective_rows, normal_quantile, stats, sums, widened
from ftbridge.model import Frozen

FEWEST = 10
"""Rows, or clusters of them, below which a bootstrap says nothing: there is no interval then."""

_RESAMPLES = 9_999
_FEWER_RESAMPLES = 1_999  # of many rows: the distribution is all but normal then
_MANY = 5_000

AT_ONCE = 2_000_000
"""How many numbers are resampled at once: 16 MB of them."""

SEED = 0
"""Of resampling, so that the same rows have the same figures."""


class Interval(Frozen):
    """A 95 % confidence interval, both bounds included."""

    low: float
    high: float


def share_interval(correct: Sequence[bool], clusters: Clusters = None) -> Interval:
    """Of a share of rows: Wilson's score interval, for as many independent rows as the clustered ones amount to."""
    low, high = wilson(sum(correct) / len(correct), effective_rows(correct, clusters))
    return Interval(low=low, high=high)


def wilson(share: float, rows: float) -> tuple[float, float]:
    """The score interval of one share; `rows` need not be a whole number, as it has to be for scipy."""
    quantile = normal_quantile()
    square = quantile**2
    middle = 2 * rows * share + square
    width = quantile * math.sqrt(square + 4 * rows * share * (1 - share))
    low, high = (middle - width) / (2 * (rows + square)), (middle + width) / (2 * (rows + square))
    return max(low, 0.0), min(high, 1.0)


def mean_interval(
    values: Sequence[float], *, weights: Sequence[float] | None = None, clusters: Clusters = None
) -> Interval | None:
    """Of a mean, weighted by `weights`: the bootstrap over rows, or over clusters, with the same result every time.

    It is bias-corrected and accelerated, and widened for few rows. None for fewer than `FEWEST` rows or clusters.
    """
    import numpy

    weighed = numpy.ones(len(values)) if weights is None else numpy.asarray(weights, dtype=float)
    totals, sizes = (sums(of, clusters) for of in (numpy.asarray(values, dtype=float) * weighed, weighed))
    if len(totals) < FEWEST:
        return None
    if numpy.ptp(totals / sizes) == 0:
        return Interval(low=float(totals[0] / sizes[0]), high=float(totals[0] / sizes[0]))
    low, high = bootstrap(totals, sizes)
    return Interval(low=float(low), high=float(high))


def bootstrap(totals: Floats, sizes: Floats, resamples: int | None = None) -> tuple[Floats, Floats]:
    """The bounds of the sum of `totals` by the sum of `sizes`, over the units on the last axis."""
    import numpy

    units = totals.shape[-1]
    result = stats().bootstrap(
        (totals, sizes),
        lambda total, size, axis: total.sum(axis=axis) / size.sum(axis=axis),
        paired=True,
        vectorized=True,
        axis=-1,
        n_resamples=resamples or resamples_of(units),
        batch=max(1, AT_ONCE // totals.size),
        confidence_level=widened(LEVEL, units),
        method="BCa",
        rng=numpy.random.default_rng(SEED),
    )
    low, high = result.confidence_interval
    return low, high


def resamples_of(units: int) -> int:
    """How often to resample so many rows or clusters."""
    return _RESAMPLES if units < _MANY else _FEWER_RESAMPLES
