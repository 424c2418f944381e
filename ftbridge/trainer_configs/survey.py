"""What the rows of a job have in them, by which trainers are written other configs and rows."""

from __future__ import annotations

from msgspec import Struct

from ftbridge.dataset.canonical.example import SHAPE_OF, Assistant, Chat, Shape
from ftbridge.dataset.canonical.texts import tools_of
from ftbridge.dataset.data_file import Data
from ftbridge.dataset.reading.batch import Batch
from ftbridge.dataset.reading.observer import observe_file
from ftbridge.model import Method


class Survey(Struct):
    """Of all files of a job: the shape of the first row, whether any answer is not trained, and any row has tools."""

    shape: Shape | None = None
    skips_answers: bool = False
    has_tools: bool = False

    def observe(self, batch: Batch) -> None:
        """Take in some examples."""
        for example in batch.examples:
            if self.shape is None:
                self.shape = SHAPE_OF[type(example)]
            self.has_tools = self.has_tools or bool(tools_of(example))
            if type(example) is Chat and not self.skips_answers:
                self.skips_answers = any(one.weight == 0 for one in example.messages if type(one) is Assistant)


def shapes_of(method: Method, rows: Survey) -> frozenset[Shape]:
    """The one shape of rows that a config is for."""
    return frozenset({"preference" if method is Method.DPO else "text" if rows.shape == "text" else "chat"})


def survey(files: list[Data], format: str | None) -> Survey:  # noqa: A002 - the word of the CLI
    """What is in them. Raises `InputError` for what cannot be opened or read."""
    seen = Survey()
    for file in files:
        observe_file(file, [seen], format=format)
    return seen
