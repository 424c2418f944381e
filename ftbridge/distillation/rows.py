"""From an answer to the row that teaches it, or to the reason why it teaches nothing."""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

import msgspec

from ftbridge.answers import Answer
from ftbridge.dataset.canonical.example import Chat
from ftbridge.dataset.findings import Diagnostics
from ftbridge.dataset.formats.base import FieldReader
from ftbridge.dataset.formats.chat import read_variant
from ftbridge.dataset.reading.rows import from_json
from ftbridge.distillation.questions import Question

Reasoning = Literal["keep", "drop"]
Reason = Literal[
    "refused",
    "truncated",
    "failed",
    "empty",
    "invalid",
    "not_graded",
    "below_minimum",
    "worse_sample",
    "same_answer",
]
_THOUGHT = re.compile(r"\s*<think>(.*?)</think>\s*(.*)", re.DOTALL)
"""How servers give the reasoning that they do not tell apart from the answer."""


class Rejected(NamedTuple):
    """Why an answer is no row, and more about it for people."""

    reason: Reason
    detail: str | None = None


class Said(NamedTuple):
    """What the teacher has said: the assistant's message without reasoning, and the reasoning."""

    message: dict[str, Any]
    reasoning: str | None


def said_in(answer: Answer) -> Said:
    """The message in an answer; reasoning at the beginning of its text, between think tags, is taken out of it."""
    text, reasoning = answer.text, answer.reasoning
    if reasoning is None and (thought := _THOUGHT.fullmatch(text)):
        reasoning, text = thought[1].strip() or None, thought[2]
    return Said(answer.model_copy(update={"text": text}).message, reasoning)


def as_row(question: Question, answer: Answer, reasoning: Reasoning) -> Chat | Rejected:
    """The question with the answer, by the canonical rules: tool calls have to fit the tools that are declared."""
    if answer.outcome != "answered":
        outcome = "failed" if answer.outcome == "missing" else answer.outcome
        return Rejected(outcome, answer.refusal or answer.error)
    message, thought = said_in(answer)
    if not answer.tool_calls and not message["content"].strip():
        return Rejected("empty")
    if thought and reasoning == "keep":
        message = {**message, "reasoning_content": thought}
    row: dict[str, Any] = msgspec.to_builtins(question.taught)
    last, diagnostics = f"$.messages[{len(row['messages'])}]", Diagnostics()
    row["messages"].append(message)
    chat = from_json(read_variant(FieldReader(row, diagnostics), "chat"), "chat", diagnostics)
    problem = next((one for one in diagnostics.findings if one.path.startswith(last) or one.level == "error"), None)
    if problem is not None or not isinstance(chat, Chat):
        return Rejected("invalid", problem.message if problem else None)
    return chat
