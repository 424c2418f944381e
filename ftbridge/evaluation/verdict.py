"""What a difference between two models means: a verdict, several of them together, and how many rows would give one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import NormalDist
from typing import Literal, NamedTuple, TypeAlias

from ftbridge.evaluation.clusters import LEVEL, normal_quantile
from ftbridge.evaluation.differences import Difference
from ftbridge.model import Frozen

Verdict: TypeAlias = Literal["better", "no worse", "worse", "not enough rows"]

_POWER = 0.8


class Comparison(Frozen):
    """The new model against `rival`, "base", a job or a target, by one metric on the same rows.

    `difference` is the new mean minus the old one, `low` and `high` its 95 % confidence interval, which too few rows do
    not have; `only_old` and `only_new` count the rows that one model alone answers correctly. `p_value` is for the
    hypothesis that neither is better, and `adjusted_p` the same after Holm's correction over all comparisons.

    `verdict`: "better" and "worse" where `adjusted_p` is below 0.05; "no worse" where the interval has no loss above
    `margin`, even if a smaller one is certain; otherwise "not enough rows". Then about `rows_needed` would give another
    verdict four times in five, if the difference stays what it is; None where no number would.
    """

    metric: str
    rival: str
    difference: float
    low: float | None
    high: float | None
    margin: float
    only_old: int | None = None
    only_new: int | None = None
    p_value: float
    adjusted_p: float
    verdict: Verdict
    rows_needed: int | None = None


class Measured(NamedTuple):
    """A difference that awaits its verdict, of a metric of which `sign` is 1 if more is better and -1 if less is."""

    metric: str
    rival: str
    found: Difference
    rows: int
    margin: float = 0.0
    sign: Literal[1, -1] = 1


def judge(measured: Sequence[Measured]) -> list[Comparison]:
    """A verdict on each, so that among all of them one error in twenty is expected at most."""
    adjusted = holm([one.found.p_value for one in measured])
    return [_judge(one, p) for one, p in zip(measured, adjusted, strict=True)]


def holm(p_values: Iterable[float]) -> list[float]:
    """The p-values, corrected for their number: S. Holm, Scandinavian Journal of Statistics 6 (1979)."""
    given = list(p_values)
    order = sorted(range(len(given)), key=given.__getitem__)
    adjusted, highest = [0.0] * len(given), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(given) - rank) * given[index]))
        adjusted[index] = highest
    return adjusted


def _judge(measured: Measured, adjusted_p: float) -> Comparison:
    found, margin = measured.found, measured.margin
    verdict = _verdict(measured, adjusted_p)
    return Comparison(
        metric=measured.metric,
        rival=measured.rival,
        difference=found.difference,
        low=found.interval.low if found.interval else None,
        high=found.interval.high if found.interval else None,
        margin=margin,
        only_old=found.only_old,
        only_new=found.only_new,
        p_value=found.p_value,
        adjusted_p=adjusted_p,
        verdict=verdict,
        rows_needed=_rows_needed(measured) if verdict == "not enough rows" else None,
    )


def _verdict(measured: Measured, adjusted_p: float) -> Verdict:
    found = measured.found
    if found.interval is None:
        return "not enough rows"
    gain = measured.sign * found.difference
    least = found.interval.low if measured.sign > 0 else -found.interval.high
    certain = adjusted_p < 1 - LEVEL
    if certain and gain > 0:
        return "better"
    if least >= -measured.margin:
        return "no worse"
    return "worse" if certain and gain < 0 else "not enough rows"


def _rows_needed(measured: Measured) -> int | None:
    """Until the difference is certain, or certainly within the margin: whichever comes first."""
    found = measured.found
    gain = measured.sign * found.difference
    distance = max(abs(gain), gain + measured.margin)
    if distance == 0 or found.variance == 0:
        return None
    quantiles = normal_quantile() + NormalDist().inv_cdf(_POWER)
    independent = quantiles**2 * found.variance / distance**2
    return max(measured.rows + 1, math.ceil(independent * measured.rows / found.effective_rows))
