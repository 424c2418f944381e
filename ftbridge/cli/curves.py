"""The curves of a job's losses: as a line of block characters for the terminal, and as a plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ftbridge.cli.figures import new_figure, save
from ftbridge.jobs.curves import Points

_BLOCKS = "▁▂▃▄▅▆▇█"
_WIDTH = 48


def line_of(points: Points, lowest: float, highest: float) -> str:
    """The curve as one line of blocks, each the mean of several steps."""
    size = -(-len(points) // _WIDTH)
    values = [value for _step, value in points]
    means = [_mean(values[start : start + size]) for start in range(0, len(values), size)]
    span = (highest - lowest) or 1.0
    return "".join(_BLOCKS[round((value - lowest) / span * (len(_BLOCKS) - 1))] for value in means)


def lines(curves: dict[str, Points]) -> dict[str, str]:
    """Every curve as a line, all on one scale, with its first and its last value."""
    values = [value for points in curves.values() for _step, value in points]
    return {
        name: f"{points[0][1]:.3f} {line_of(points, min(values), max(values))} {points[-1][1]:.3f}"
        for name, points in curves.items()
        if len(points) > 1
    }


def draw(curves: dict[str, Points], title: str, file: Path) -> None:
    """Plot the curves into `file`, SVG or PNG by its extension. Raises `MissingExtra` without matplotlib."""
    figure = new_figure(file, (8, 4.5))
    axes = figure.subplots()
    for name, points in curves.items():
        axes.plot(*zip(*points, strict=True), label=name, marker="o" if len(points) < 30 else "")
    axes.set(xlabel="step", ylabel="nats", title=title)
    axes.grid(alpha=0.3)
    if curves:
        axes.legend()
    save(figure, file)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
