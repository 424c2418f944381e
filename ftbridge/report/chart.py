"""Curves as shapes to draw: positions in per cent of the plot, so that text keeps its size on every screen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ftbridge.jobs.curves import Points

_TICKS = 6
_MOST_POINTS = 400  # of a line; of more the lowest and the highest of each stretch are drawn
_MOST_DOTS = 40
_SERIES = 6  # colours
_DASHED = "validation "
_LISTED = 12  # values in the table below a chart


class Tick(NamedTuple):
    """A grid line with its label, at so many per cent from the left or the top."""

    at: float
    label: str


class Line(NamedTuple):
    """A curve in the colour `series`: `points` are for a polyline in a box of 1000 by 1000."""

    name: str
    series: int
    dashed: bool
    points: str
    dots: tuple[tuple[float, float], ...]
    last_step: int
    last: str
    values: tuple[tuple[int, str], ...]


class Chart(NamedTuple):
    """A picture of curves by step, with what a screen reader says instead."""

    title: str
    unit: str
    description: str
    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def draw(title: str, unit: str, curves: Mapping[str, Mapping[str, Points]]) -> Chart | None:
    """The curves of each job, by the job's name and the curve's; None where there are none."""
    several = len(curves) > 1
    named = [
        (number if several else index, f"{job}: {name}" if several else name, points)
        for number, (job, of_job) in enumerate(curves.items())
        for index, (name, points) in enumerate(of_job.items())
    ]
    if not named:
        return None
    steps = [step for *_, points in named for step, _ in points]
    values = [value for *_, points in named for _, value in points]
    last = max(*steps, 1)
    x_ticks = [tick for tick in _ticks(min(0, *steps), last, whole=True) if tick <= last]
    y_ticks = _ticks(min(0.0, *values), max(values), whole=False)
    box = _Box(x_ticks[0], last, y_ticks[0], y_ticks[-1])
    lines = [_line(name, series % _SERIES, points, box) for series, name, points in named]
    ends = (f"{line.name} {line.values[0][1]} at first and {line.last} at step {line.last_step}" for line in lines)
    return Chart(
        title,
        unit,
        "; ".join(ends),
        tuple(lines),
        tuple(Tick(100 * box.across(tick), f"{tick:,.0f}") for tick in x_ticks),
        tuple(Tick(100 * box.down(tick), f"{tick:g}") for tick in y_ticks),
    )


class _Box(NamedTuple):
    """What the edges of the plot stand for."""

    left: float
    right: float
    low: float
    high: float

    def across(self, step: float) -> float:
        return (step - self.left) / ((self.right - self.left) or 1.0)

    def down(self, value: float) -> float:
        return 1 - (value - self.low) / ((self.high - self.low) or 1.0)


def _line(name: str, series: int, points: Points, box: _Box) -> Line:
    places = [(box.across(step), box.down(value)) for step, value in _thinned(points)]
    few = places if len(points) <= _MOST_DOTS else []
    step, last = points[-1]
    return Line(
        name,
        series,
        _DASHED in name,
        " ".join(f"{1000 * x:.1f},{1000 * y:.1f}" for x, y in places),
        tuple((round(100 * x, 2), round(100 * y, 2)) for x, y in few),
        step,
        f"{last:.3f}",
        tuple((step, f"{value:.3f}") for step, value in _spread(points)),
    )


def _thinned(points: Points) -> Points:
    size = math.ceil(2 * len(points) / _MOST_POINTS)
    if size <= 2:
        return points
    stretches = [points[start : start + size] for start in range(0, len(points), size)]
    extremes = [{min(of, key=lambda one: one[1]), max(of, key=lambda one: one[1])} for of in stretches]
    return [point for of in extremes for point in sorted(of)]


def _spread(points: Points) -> Sequence[tuple[int, float]]:
    """A few points, with the first and the last."""
    if len(points) <= _LISTED:
        return points
    last = len(points) - 1
    return [points[round(index * last / (_LISTED - 1))] for index in range(_LISTED)]


def _ticks(low: float, high: float, *, whole: bool) -> list[float]:
    """Round numbers from `low` or below up to `high` or above."""
    rough = (high - low or 1.0) / (_TICKS - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)
    step = max(1.0, math.ceil(step)) if whole else step
    first = math.floor(low / step)
    return [round(step * number, 10) for number in range(first, math.ceil(high / step) + 1)]
