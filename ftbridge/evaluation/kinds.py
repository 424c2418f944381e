"""What kind of numbers the scores of a metric are, and how such numbers are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from ftbridge.evaluation.intervals import Interval

Kind: TypeAlias = Literal["share", "score", "number", "loss"]

IN_POINTS = ("share", "score")
"""The kinds of metrics that are shown in per cent, and whose differences are in points."""


def shown_score(score: float | None, kind: Kind) -> str:
    """A score as tables have it."""
    if score is None:
        return "–"
    return f"{score:.1%}" if kind in IN_POINTS else f"{score:.3f}"


def shown_interval(interval: Interval | None, kind: Kind) -> str:
    """An interval as tables have it, in per cent without the sign."""
    if interval is None:
        return "–"
    factor, digits = (100, 1) if kind in IN_POINTS else (1, 3)
    return f"{factor * interval.low:.{digits}f} to {factor * interval.high:.{digits}f}"
