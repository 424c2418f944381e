"""One target's rules for examples, applied to a file."""

from __future__ import annotations

from collections.abc import Sequence

from ftbridge.dataset.canonical.example import SHAPE_OF, SHAPES, Chat, Example, Shape
from ftbridge.dataset.canonical.usual import rows_with
from ftbridge.dataset.converter import Converter, TakesPlainChats
from ftbridge.dataset.findings import Diagnostics
from ftbridge.dataset.reading.batch import Batch
from ftbridge.dataset.unforeseen import report_unforeseen

_DEVELOPER = b'"developer"'  # in a text its quotes would have backslashes before them
_METHODS: dict[Shape, str] = {"chat": "sft", "text": "sft", "preference": "dpo", "task": "rft"}


class TargetRules:
    """A converter at work on a file, with the diagnostics it makes."""

    def __init__(self, converter: Converter) -> None:
        self.converter = converter
        self.diagnostics = Diagnostics(converter.target)
        self._convert = converter.convert
        self._types = {SHAPES[shape] for shape in converter.shapes}
        self._refused: set[type[Example]] = set()
        self._plain = converter.plain_chats if isinstance(converter, TakesPlainChats) else None

    def to_convert(self, batch: Batch) -> Sequence[int]:
        """The indices of the rows that have to be converted; the target takes the others as they are."""
        if self._plain is None or Chat not in self._types or len(batch.unusual) == len(batch.raws):
            return range(len(batch.raws))
        plain, found = self._plain, set(batch.unusual)
        if plain.most_bytes is not None:
            most = plain.most_bytes
            found.update(index for index, row in enumerate(batch.rows) if len(row) > most)
        for mark in (*plain.marks, _DEVELOPER):
            found.update(rows_with(mark, batch.block, batch.starts))
        return sorted(found)

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
