"""Distributions of third parties, as pip would have installed them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def write_distribution(site: Path, name: str, entry_points: str, **modules: str) -> None:
    """What pip writes into the folder `site` for a distribution with these texts of its entry points and modules."""
    info = site / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text(entry_points, "utf-8")
    for module, source in modules.items():
        (site / f"{module}.py").write_text(source, "utf-8")


def install(site: Path, patch: pytest.MonkeyPatch, name: str, entry_points: str, **modules: str) -> None:
    """The same, found by this process.

    What a test has imported stays imported, so each file of tests has modules of its own names.
    """
    write_distribution(site, name, entry_points, **modules)
    patch.syspath_prepend(site)
