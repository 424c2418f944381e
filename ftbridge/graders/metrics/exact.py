"""Exact answers: the same text and the same tool calls."""

from __future__ import annotations

from typing import ClassVar

from ftbridge.graders.grade import Grade
from ftbridge.graders.metrics.metric import Item, Metric, Sample, expected_message
from ftbridge.graders.metrics.tools import calls_of
from ftbridge.graders.sample import text_of_content


class Exact(Metric):
    """1 where the answer is the expected one, without white space around it, else 0."""

    name: ClassVar[str] = "exact"

    def grade(self, item: Item, sample: Sample) -> Grade:
        """The grade of one answer."""
        expected = expected_message(item)
        same_text = text_of_content(expected.get("content")).strip() == sample["output_text"].strip()
        passed = same_text and calls_of(expected.get("tool_calls")) == calls_of(sample["output_tools"])
        return Grade(score=float(passed), passed=passed)
