"""Distributions of third parties, as pip would have installed them."""

from __future__ import annotations

from pathlib import Path

import pytest


def install(site: Path, patch: pytest.MonkeyPatch, name: str, entry_points: str, **modules: str) -> None:
    """Have a distribution in the folder `site`, with the text of its entry points and of its modules.

    What a test has imported stays imported, so each file of tests has modules of its own names.
    """
    info = site / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text(entry_points, "utf-8")
    for module, source in modules.items():
        (site / f"{module}.py").write_text(source, "utf-8")
    patch.syspath_prepend(site)
