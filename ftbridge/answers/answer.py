"""One answer: refusals, cut answers and errors are outcomes of a question, and never dropped."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field

from ftbridge.errors import FtbridgeError
from ftbridge.foreign.values import LongText, Message, Text
from ftbridge.model import Frozen
from ftbridge.provider import Reply, Usage

Outcome = Literal["answered", "truncated", "refused", "failed", "missing"]
FILTERED = "content_filter"
"""The finish reason of what a vendor's filter has stopped, and the code of an error that says the same."""


class Answer(Frozen):
    """What a model answered to one question, or the `error` that stands in its place.

    The fields are those of `Reply`. `from_ledger` is set where it was stored before, and nothing was asked; `temporary`
    where the error is that of a vendor in trouble, which is not stored, so that the question is asked again.
    """

    text: LongText = ""
    tool_calls: tuple[dict[str, Any], ...] = ()
    reasoning: LongText | None = None
    refusal: LongText | None = None
    finish_reason: Text | None = None
    usage: Usage | None = None
    error: Message | None = None
    temporary: bool = Field(False, exclude=True)
    from_ledger: bool = Field(False, exclude=True)

    @classmethod
    def of(cls, reply: Reply) -> Self:
        """The answer in a reply."""
        return cls.model_validate(reply.model_dump(exclude={"model"}))

    @classmethod
    def failed(cls, problem: FtbridgeError, *, temporary: bool = False) -> Self:
        """The outcome of a question that was refused with an error, or met one that passes."""
        filtered = getattr(problem, "code", None) == FILTERED
        return cls(error=problem.message, finish_reason=FILTERED if filtered else None, temporary=temporary)

    @property
    def message(self) -> dict[str, Any]:
        """The assistant's message, without the reasoning; beside tool calls, content may be None."""
        message: dict[str, Any] = {"role": "assistant", "content": self.text}
        if self.refusal:
            message["refusal"] = self.refusal
        if self.tool_calls:
            message |= {"content": self.text or None, "tool_calls": [*self.tool_calls]}
        return message

    @property
    def outcome(self) -> Outcome:
        """Cut at the length limit is "truncated"; "refused" by the model, or by the vendor's filter.

        "failed" is a question that the vendor does not take, and "missing" one that it may answer another time.
        """
        if self.refusal or self.finish_reason == FILTERED:
            return "refused"
        if self.error is not None:
            return "missing" if self.temporary else "failed"
        return "truncated" if self.finish_reason == "length" else "answered"
