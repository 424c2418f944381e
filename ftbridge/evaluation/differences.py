"""The difference between two models on the same rows, with its interval and how likely chance alone explains it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ftbridge.evaluation.clusters import Clusters, Floats, effective_rows, stats, sums
from ftbridge.evaluation.intervals import AT_ONCE, SEED, Interval, mean_interval, resamples_of, wilson
from ftbridge.model import Frozen


class Difference(Frozen):
    """The new model's mean minus the old one's.

    `p_value` is that of the hypothesis that neither is better. `variance` is that of the difference of one row, and
    `effective_rows` how many independent rows say as much as these.
    """

    difference: float
    interval: Interval | None
    p_value: float
    variance: float
    effective_rows: float
    only_old: int | None = None
    only_new: int | None = None


def share_difference(old: Sequence[bool], new: Sequence[bool], clusters: Clusters = None) -> Difference:
    """Of the shares of correct rows: Newcombe's hybrid score interval and McNemar's exact test.

    R. G. Newcombe, "Improved confidence intervals for the difference between binomial proportions based on
    paired data", Statistics in Medicine 17 (1998), method 10. It is valid for few rows too, and if both models
    give the same answers. Clustered rows count as their effective number, and the test swaps the models in whole
    clusters. The variance is that of D. G. Bonett and R. M. Price, "Adjusted Wald confidence interval for a difference
    of binomial proportions based on paired data", Journal of Educational and Behavioral Statistics 37 (2012), which is
    never 0.
    """
    pairs = list(zip(old, new, strict=True))
    rows = len(pairs)
    both, only_new = pairs.count((True, True)), pairs.count((False, True))
    only_old, neither = pairs.count((True, False)), pairs.count((False, False))
    differences = [after - before for before, after in pairs]
    effective = effective_rows(differences, clusters)
    gained, lost = (only_new + 1) / (rows + 2), (only_old + 1) / (rows + 2)
    return Difference(
        difference=(only_new - only_old) / rows,
        interval=_newcombe(*(count * effective / rows for count in (both, only_new, only_old, neither))),
        p_value=_mcnemar(only_old, only_new) if clusters is None else _swapped(sums(differences, clusters)),
        variance=gained + lost - (gained - lost) ** 2,
        effective_rows=effective,
        only_old=only_old,
        only_new=only_new,
    )


def mean_difference(
    old: Sequence[float], new: Sequence[float], *, weights: Sequence[float] | None = None, clusters: Clusters = None
) -> Difference:
    """Of means: the bootstrap of the paired differences, and the test that swaps the models row by row at random."""
    import numpy

    differences = numpy.asarray(new, dtype=float) - numpy.asarray(old, dtype=float)
    weighed = numpy.ones(len(differences)) if weights is None else numpy.asarray(weights, dtype=float)
    mean = float(differences @ weighed / weighed.sum())
    apart = (differences - mean) * weighed / weighed.mean()  # of a row, what it adds to the weighted mean
    return Difference(
        difference=mean,
        interval=mean_interval(differences.tolist(), weights=weighed.tolist(), clusters=clusters),
        p_value=_swapped(sums(differences * weighed, clusters)),
        variance=float(apart @ apart) / max(1, len(apart) - 1),
        effective_rows=effective_rows(apart, clusters),
    )


def _mcnemar(only_old: int, only_new: int) -> float:
    """Exact and two-sided."""
    if not only_old + only_new:
        return 1.0
    return float(stats().binomtest(only_new, only_old + only_new).pvalue)


def _swapped(totals: Floats) -> float:
    """How often a sum at least as far from 0 comes from giving each difference its sign by chance."""
    import numpy

    if len(totals) == 1 or not totals.any():
        return 1.0
    result = stats().permutation_test(
        (totals, numpy.zeros_like(totals)),
        lambda new, old, axis: (new - old).sum(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=resamples_of(len(totals)),
        batch=max(1, AT_ONCE // len(totals)),
        rng=numpy.random.default_rng(SEED),
    )
    return float(result.pvalue)


def _newcombe(both: float, only_new: float, only_old: float, neither: float) -> Interval:
    rows = both + only_new + only_old + neither
    after, before = (both + only_new) / rows, (both + only_old) / rows
    low_after, high_after = wilson(after, rows)
    low_before, high_before = wilson(before, rows)
    phi = _phi(both, only_new, only_old, neither)
    below = _combined(after - low_after, high_before - before, phi)
    above = _combined(high_after - after, before - low_before, phi)
    return Interval(low=after - before - below, high=after - before + above)


def _phi(both: float, only_new: float, only_old: float, neither: float) -> float:
    """The correlation of the answers, corrected for continuity; 0 if a model is always or never correct."""
    margins = (both + only_new) * (only_old + neither) * (both + only_old) * (only_new + neither)
    if margins == 0:
        return 0.0
    rows = both + only_new + only_old + neither
    covariance = both * neither - only_new * only_old
    if covariance > 0:
        covariance = max(covariance - rows / 2, 0.0)
    return covariance / math.sqrt(margins)


def _combined(one: float, other: float, phi: float) -> float:
    return math.sqrt(max(0.0, one**2 - 2 * phi * one * other + other**2))
