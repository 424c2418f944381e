"""`--min`: the least score of a metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ftbridge.errors import UsageError
from ftbridge.foreign.values import number_of
from ftbridge.graders import parse_grader
from ftbridge.spec import json_object
from ftbridge.wording import printable

FIRST = ""
"""Stands for the metric that decides."""


def read_minima(given: Sequence[str], *, any_scale: bool) -> dict[str, float]:
    """`SCORE` or `METRIC=SCORE`, by metric. Scores are from 0 to 1, unless a grader may have another scale.

    Raises `UsageError` for anything else.
    """
    minima: dict[str, float] = {}
    for text in given:
        metric, _, score = text.rpartition("=")
        value = number_of(score)
        if value is None or not (any_scale or 0 <= value <= 1):
            raise UsageError(
                f"--min {printable(text)} is no score", hint="Write a number from 0 to 1, as in 0.8 or exact=0.8."
            )
        if metric == "loss":
            raise UsageError("--min takes no loss, of which less is better", hint="Name another metric.")
        minima[metric] = value
    return minima


def metrics_with_minima(metrics: Sequence[str], minima: Mapping[str, float], grader: Path | None) -> list[str]:
    """The metrics that are named, and those with a minimum; a grader is measured in any case."""
    found = json_object(grader)
    its_own = parse_grader(found).name if found else None
    return [*metrics, *(name for name in minima if name not in (FIRST, its_own, *metrics))]
