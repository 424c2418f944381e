"""What a metric is: a grader that compares an answer with the one that its row expects, and sums up many rows."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from ftbridge.graders.grade import Grade, RowProblem
from ftbridge.graders.sample import text_of_content

Item = Mapping[str, Any]
"""A row: its `messages`, of which the last is the expected answer; or it is the user's, and a `reference` says it."""
Sample = Mapping[str, Any]
"""An answer, as `sample_of` makes it."""


class GradedRow(NamedTuple):
    """A row, the answer to it, and its grade."""

    item: Item
    sample: Sample
    grade: Grade


class Metric(ABC):
    """Base of the metrics; a subclass in the entry-point group `ftbridge.metrics` is found by its entry point's name.

    Its class is called without arguments.
    """

    name: ClassVar[str]

    @abstractmethod
    def grade(self, item: Item, sample: Sample) -> Grade:
        """The grade of one answer, from 0 to 1. `run_grader` turns a `RowProblem` into the grade's error."""

    def summarise(self, rows: Sequence[GradedRow]) -> dict[str, Any]:
        """What only all rows together have, as plain JSON; the mean of the scores is not part of it."""
        return {}

    def check(self) -> None:  # noqa: B027 - most metrics need no library
        """Raises `MissingExtra` where a library is missing."""


def expected_message(item: Item) -> Mapping[str, Any]:
    """The expected answer as an assistant's message. Raises `RowProblem` where the row has none."""
    messages = item.get("messages") or ()
    if messages and messages[-1].get("role") == "assistant":
        return messages[-1]  # type: ignore[no-any-return]
    reference = item.get("reference")
    if reference is None:
        raise RowProblem("invalid_variable_error", "the row expects no answer: its last message is not the assistant's")
    if isinstance(reference, Mapping) and ("tool_calls" in reference or reference.get("role") == "assistant"):
        return reference
    text = reference if isinstance(reference, str) else json.dumps(reference, ensure_ascii=False)
    return {"role": "assistant", "content": text}


def expected_text(item: Item) -> str:
    """The text of the expected answer, "" where it is tool calls alone. Raises `RowProblem` where there is none."""
    return text_of_content(expected_message(item).get("content"))
