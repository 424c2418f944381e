"""A target that takes every row as it is, for tests of what comes before its rules."""

from __future__ import annotations

from typing import Any

from ftbridge.dataset import Diagnostics, FileLimits
from ftbridge.dataset.canonical.example import SHAPES, Example, Shape


class AsItIs:
    """A target that takes every row as it is."""

    target = "as-it-is"
    shapes: frozenset[Shape] = frozenset(SHAPES)
    limits = FileLimits()

    def convert(self, example: Example, diagnostics: Diagnostics) -> Any:
        return example
