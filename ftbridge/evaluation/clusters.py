"""Rows that share a document or a conversation: they say less than as many rows that have nothing in common."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

Floats: TypeAlias = "NDArray[float64]"

Clusters: TypeAlias = Sequence[Hashable] | None
"""What each row belongs to, in the order of the rows; None where every row stands for itself."""

LEVEL = 0.95
"""The confidence of every interval."""


def stats() -> Any:
    """scipy.stats, which has few types, and is only loaded where something is evaluated."""
    from scipy import stats as found

    return found


def normal_quantile(level: float = LEVEL) -> float:
    """How many standard errors lie on either side of an interval of that confidence."""
    return NormalDist().inv_cdf((1 + level) / 2)


def of_rows(clusters: Clusters, indexes: Sequence[int]) -> Clusters:
    """The clusters of some of the rows."""
    return None if clusters is None else [clusters[index] for index in indexes]


def sums(values: Sequence[float] | Floats, clusters: Clusters) -> Floats:
    """The sum of each cluster, in the order in which they appear; without clusters the values themselves."""
    import numpy

    given = numpy.asarray(values, dtype=float)
    if clusters is None:
        return given
    order = {name: number for number, name in enumerate(dict.fromkeys(clusters))}
    return numpy.bincount([order[name] for name in clusters], weights=given).astype(float)


def effective_rows(values: Sequence[float] | Floats, clusters: Clusters) -> float:
    """How many independent rows say as much about the mean of `values` as these do; never more than there are.

    The variance of the mean between clusters against that between rows, and for few clusters the wider t distribution:
    E. L. Korn and B. I. Graubard, "Confidence intervals for proportions with small expected number of positive counts
    estimated from survey data", Survey Methodology 24 (1998). Where all values are equal nothing shows how much the
    rows of a cluster have in common, and each cluster counts as one row.
    """
    rows = len(values)
    if clusters is None:
        return rows
    import numpy

    sizes = numpy.asarray([*Counter(clusters).values()], dtype=float)
    groups = len(sizes)
    if groups == rows:
        return rows
    if groups == 1:
        return 1
    mean = float(numpy.mean(values))
    between = sums(values, clusters) - mean * sizes
    within = float(numpy.var(values)) / rows
    if not within:
        return groups
    variance = groups / (groups - 1) * float(between @ between) / rows**2
    wider = normal_quantile() / float(stats().t.ppf((1 + LEVEL) / 2, groups - 1))
    effect = max(1.0, variance / within)
    return max(1.0, rows / effect * wider**2)


def widened(level: float, units: int) -> float:
    """The confidence at which to read a bootstrap's distribution of so few units, to get an interval of `level`.

    T. Hesterberg, "What teachers should know about the bootstrap", The American Statistician 69 (2015), 4.3: it is
    too narrow by the factor of the t distribution and by that of dividing by n where n - 1 is right.
    """
    quantile = float(stats().t.ppf((1 + level) / 2, units - 1)) * math.sqrt(units / (units - 1))
    return 2 * NormalDist().cdf(quantile) - 1
