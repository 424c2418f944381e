"""Reasoning: the marks that templates write around what a model thinks before it answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class ReasoningMarks(NamedTuple):
    """What opens reasoning, what closes it, and what stands directly before the answer, if that is another one."""

    opens: str
    closes: str
    answers: str = ""

    @property
    def before_answer(self) -> str:
        """What stands directly before the answer."""
        return self.answers or self.closes

    def is_in(self, text: str) -> bool:
        """Whether a model that wrote `text` has reasoned, or has marked its answer."""
        return self.before_answer in text or self.opens in text

    def is_open(self, prompt: str) -> bool:
        """Whether the prompt ends within reasoning, which the model goes on with."""
        return prompt.rfind(self.opens) > prompt.rfind(self.closes)

    def reasoning_of(self, text: str) -> str | None:
        """The reasoning in `text`; None where there are only marks."""
        before = text.partition(self.before_answer)[0]
        opened = before.partition(self.opens)[2] if self.opens in before else before
        return opened.partition(self.closes)[0].strip() or None

    def split(self, text: str) -> tuple[str | None, str]:
        """Reasoning and answer, which is empty where the reasoning does not come to an end."""
        if not self.is_in(text):
            return None, text
        return self.reasoning_of(text), text.partition(self.before_answer)[2].lstrip("\n")


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
    return next((marks for marks in _KNOWN if marks.before_answer in text), None)
