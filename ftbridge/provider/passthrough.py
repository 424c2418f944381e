"""The format of a vendor that takes the canonical rows as they are."""

from __future__ import annotations

from typing import Any

from ftbridge.dataset import Diagnostics, FileLimits
from ftbridge.dataset.canonical.example import Example, Shape
from ftbridge.model import Method

_SHAPES: dict[Method, Shape] = {
    Method.SFT: "chat",
    Method.DPO: "preference",
    Method.RFT: "task",
    Method.DISTILL: "chat",
}


class PassThrough:
    """Chats, preferences or tasks, by the method; every row is passed on unchanged."""

    limits = FileLimits()

    def __init__(self, target: str, method: Method) -> None:
        self.target = target
        self.shapes: frozenset[Shape] = frozenset({_SHAPES[method]})

    def convert(self, example: Example, diagnostics: Diagnostics) -> Any:
        """The example itself."""
        return example
