"""Reasoning: the marks that templates write around what a model thinks before it answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class ReasoningMarks(NamedTuple):
    """What opens reasoning, what closes it, and what stands directly before the answer, if that is another one."""

    opens: str
    closes: str
    answers: str = ""

    def split(self, text: str) -> tuple[str | None, str]:
        """Reasoning and answer in what a model wrote; no reasoning where it wrote none of the marks.

        The prompt may have opened the reasoning already; where nothing closes it the model has not come to an answer.
        """
        before, found, answer = text.partition(self.answers or self.closes)
        if not found and self.opens not in text:
            return None, text
        opened = before.partition(self.opens)[2] if self.opens in before else before
        return opened.partition(self.closes)[0].strip(), answer.lstrip("\n") if found else ""


_KNOWN = (
    ReasoningMarks("<think>", "</think>"),
    ReasoningMarks("<|channel>thought", "<channel|>"),
    ReasoningMarks("<|channel|>analysis<|message|>", "<|end|>", "<|channel|>final<|message|>"),
    ReasoningMarks("[THINK]", "[/THINK]"),
    ReasoningMarks("<|START_THINKING|>", "<|END_THINKING|>"),
    ReasoningMarks("<seed:think>", "</seed:think>"),
)
"""Of Qwen, DeepSeek and GLM; Gemma 4; gpt-oss; Magistral; Command A Reasoning; Seed-OSS, by their chat templates."""


def marks_of(sources: Iterable[str]) -> ReasoningMarks | None:
    """The marks that one of the templates has."""
    text = "".join(sources)
    return next((marks for marks in _KNOWN if (marks.answers or marks.closes) in text), None)
