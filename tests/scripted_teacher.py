"""A teacher at a mocked vendor, whose answers a test writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from ftbridge.mock.vendors import MockVendors
from hosted_helpers import sent

TEACHER = "openai:gpt-4.1-mini-2025-04-14"

Answering = Callable[[str, int], str | Mapping[str, Any]]


class Teacher:
    """Answers what the test lets `answer` give for a question and how often it was asked before: a text, or a choice.

    A choice is `{"message": …, "finish_reason": …}`, of which what is missing is usual.
    """

    def __init__(self, vendors: MockVendors) -> None:
        self.vendors = vendors
        self.answer: Answering = lambda question, _times: f"The answer to {question}"
        self._times: Counter[str] = Counter()

    def complete(self, request: Mapping[str, Any], whole: dict[str, Any]) -> None:
        """Put the answer to the request into the whole completion."""
        question = request["messages"][-1]["content"]
        given = self.answer(question, self._times[question])
        self._times[question] += 1
        choice = whole["choices"][0]
        if isinstance(given, str):
            given = {"message": {"content": given}}
        choice |= {**given, "message": {**choice["message"], **given.get("message", {})}}

    @property
    def requests(self) -> list[Any]:
        """The bodies of all questions that were answered."""
        return sent(self.vendors["openai"], "chat")
