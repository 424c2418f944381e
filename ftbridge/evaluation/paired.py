"""Whether one model is as good as another on the same questions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from ftbridge.model import Frozen

_Z = 1.96  # standard errors on either side of a 95 % confidence interval


class Paired(Frozen):
    """The new model against the old one, on the same rows.

    `difference` is the new share of exact answers minus the old one, `low` and `high` its 95 % confidence interval.
    `verdict` is "better" or "worse" if the interval excludes 0, "as good" if the new model is not worse by more than
    `margin`, and otherwise "undecided": more rows would decide it.
    """

    difference: float
    low: float
    high: float
    margin: float
    only_old: int
    only_new: int
    verdict: Literal["better", "as good", "worse", "undecided"]


def paired(old: Sequence[bool], new: Sequence[bool], *, margin: float = 0.05) -> Paired:
    """Compare which rows each model answered exactly; the interval is Newcombe's hybrid score.

    R. G. Newcombe, "Improved confidence intervals for the difference between binomial proportions based on
    paired data", Statistics in Medicine 17 (1998), method 10. It is valid for few rows too, and if both models
    give the same answers.
    """
    pairs = list(zip(old, new, strict=True))
    rows = len(pairs)
    both, only_new = pairs.count((True, True)), pairs.count((False, True))
    only_old, neither = pairs.count((True, False)), pairs.count((False, False))
    after, before = (both + only_new) / rows, (both + only_old) / rows
    low_after, high_after = _wilson(after, rows)
    low_before, high_before = _wilson(before, rows)
    phi = _phi(both, only_new, only_old, neither)
    below = _combined(after - low_after, high_before - before, phi)
    above = _combined(high_after - after, before - low_before, phi)
    difference = after - before
    low, high = difference - below, difference + above
    verdict: Literal["better", "as good", "worse", "undecided"] = "undecided"
    if low > 0:
        verdict = "better"
    elif high < 0:
        verdict = "worse"
    elif low >= -margin:
        verdict = "as good"
    return Paired(
        difference=difference,
        low=low,
        high=high,
        margin=margin,
        only_old=only_old,
        only_new=only_new,
        verdict=verdict,
    )


def _wilson(share: float, rows: int) -> tuple[float, float]:
    """The score interval of one share."""
    square = _Z**2
    middle = 2 * rows * share + square
    width = _Z * math.sqrt(square + 4 * rows * share * (1 - share))
    return (middle - width) / (2 * (rows + square)), (middle + width) / (2 * (rows + square))


def _phi(both: int, only_new: int, only_old: int, neither: int) -> float:
    """The correlation of the answers, corrected for continuity; 0 if a model is always or never correct."""
    margins = (both + only_new) * (only_old + neither) * (both + only_old) * (only_new + neither)
    if margins == 0:
        return 0.0
    rows = both + only_new + only_old + neither
    covariance = float(both * neither - only_new * only_old)
    if covariance > 0:
        covariance = max(covariance - rows / 2, 0.0)
    return covariance / math.sqrt(margins)


def _combined(one: float, other: float, phi: float) -> float:
    return math.sqrt(max(0.0, one**2 - 2 * phi * one * other + other**2))
