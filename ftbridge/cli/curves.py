"""A job's losses as curves: a line of blocks for the terminal, a picture for everything else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ftbridge.errors import InputError, MissingExtra, UsageError
from ftbridge.model import Event

_BLOCKS = "▁▂▃▄▅▆▇█"
_WIDTH = 48
_ENDINGS = (".svg", ".png")
Points = list[tuple[int, float]]


def read_curves(events: Iterable[Event]) -> dict[str, Points]:
    """Losses by step, by the name that people know them by; a step that was done twice is as it was the last time."""
    curves: dict[str, dict[int, float]] = {"loss": {}, "validation loss": {}}
    for event in events:
        for name, value in (("loss", event.train_loss), ("validation loss", event.valid_loss)):
            if value is not None and event.step is not None:
                curves[name][event.step] = value
    return {name: sorted(points.items()) for name, points in curves.items() if points}


def line_of(points: Points, lowest: float, highest: float) -> str:
    """The curve as one line of blocks, each the mean of the steps that it stands for."""
    size = -(-len(points) // _WIDTH)
    values = [value for _step, value in points]
    means = [_mean(values[start : start + size]) for start in range(0, len(values), size)]
    span = (highest - lowest) or 1.0
    return "".join(_BLOCKS[round((value - lowest) / span * (len(_BLOCKS) - 1))] for value in means)


def lines(curves: dict[str, Points]) -> dict[str, str]:
    """Every curve as a line, all to one scale, with its first and its last value."""
    values = [value for points in curves.values() for _step, value in points]
    return {
        name: f"{points[0][1]:.3f} {line_of(points, min(values), max(values))} {points[-1][1]:.3f}"
        for name, points in curves.items()
        if len(points) > 1
    }


def draw(curves: dict[str, Points], title: str, file: Path) -> None:
    """Draw the curves into `file`, SVG or PNG by its ending. Raises `MissingExtra` without matplotlib."""
    if file.suffix not in _ENDINGS:
        raise UsageError(f"{file} is neither .svg nor .png", hint="The ending says which picture is drawn.")
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("drawing needs matplotlib", hint="Install it with: pip install 'ftbridge[plot]'") from None
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for name, points in curves.items():
        axes.plot(*zip(*points, strict=True), label=name, marker="o" if len(points) < 30 else "")
    axes.set(xlabel="step", ylabel="nats", title=title)
    axes.grid(alpha=0.3)
    if curves:
        axes.legend()
    try:
        figure.savefig(file, dpi=120)
    except OSError as problem:
        raise InputError(f"{file} cannot be written: {problem.strerror}", hint="Choose another place.") from None


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
