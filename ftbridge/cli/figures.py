"""Plots in files, SVG or PNG, by matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ftbridge.errors import InputError, MissingExtra, UsageError
from ftbridge.files import require_folder_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ENDINGS = (".svg", ".png")


def new_figure(file: Path, size: tuple[float, float]) -> Figure:
    """A figure of so many inches for `file`, whose extension is its format.

    Raises `UsageError` for another extension, and `MissingExtra` without matplotlib.
    """
    if file.suffix not in _ENDINGS:
        raise UsageError(f"{file} is neither .svg nor .png", hint="The extension selects the format.")
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("plotting needs matplotlib", hint="Install it with: pip install 'ftbridge[plot]'") from None
    return Figure(figsize=size, layout="constrained")


def save(figure: Figure, file: Path) -> None:
    """Write the figure. Raises `InputError` where there is no folder for it, or it cannot be written."""
    require_folder_of(file)
    try:
        figure.savefig(file, dpi=120)
    except OSError as problem:
        raise InputError(f"{file} cannot be written: {problem.strerror}", hint="Name another file.") from None
