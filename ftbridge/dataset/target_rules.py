"""One target's rules for examples, applied to a file."""

from __future__ import annotations

from ftbridge.dataset.canonical.example import SHAPE_OF, SHAPES, Example, Shape
from ftbridge.dataset.converter import Converter
from ftbridge.dataset.findings import Diagnostics
from ftbridge.dataset.unforeseen import report_unforeseen

_METHODS: dict[Shape, str] = {"chat": "sft", "text": "sft", "preference": "dpo", "task": "rft"}


class TargetRules:
    """A converter at work on a file, with the diagnostics it makes."""

    def __init__(self, converter: Converter) -> None:
        self.converter = converter
        self.diagnostics = Diagnostics(converter.target)
        self._convert = converter.convert
        self._types = {SHAPES[shape] for shape in converter.shapes}
        self._refused: set[type[Example]] = set()

    def convert(self, line: int, example: Example) -> object:
        """The target's row for the example on `line`; None, and why in the diagnostics, where it has none."""
        diagnostics = self.diagnostics
        diagnostics.line = line
        if type(example) not in self._types:
            self._refuse(type(example))
            return None
        before = diagnostics.errors
        try:
            row = self._convert(example, diagnostics)
        except Exception as unforeseen:
            report_unforeseen(unforeseen, diagnostics)
            return None
        return row if diagnostics.errors == before else None

    def _refuse(self, kind: type[Example]) -> None:
        """Report once for the file that the target does not train on such examples."""
        if kind in self._refused:
            return
        self._refused.add(kind)
        shape = SHAPE_OF[kind]
        message = f"{self.diagnostics.target} does not train on {shape} rows by this method, and the file has no others"
        takes = " or ".join(sorted(self.converter.shapes))
        fix = f"By this method it takes {takes} rows; {shape} rows are for --method {_METHODS[shape]}."
        self.diagnostics.error("$", "shape", message, fix)
