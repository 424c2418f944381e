"""What became of many questions, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Self

from ftbridge.answers.answer import Answer
from ftbridge.answers.inquiry import Inquiry
from ftbridge.model import Frozen

_OTHERS = ("truncated", "refused", "failed", "missing")
_COUNTED = ("questions", "from_ledger", *_OTHERS)
_TOLD = ("prompt_tokens", "completion_tokens", "cost_usd")
"""What vendors tell, of what was asked."""


class AnswerCounts(Frozen):
    """How many questions a `model` was asked, and what became of them.

    `from_ledger` of them were answered before. The tokens are those of the others, as far as the vendor tells them.
    `estimate_usd` is what these were expected to cost and `cost_usd` what they cost, in US dollars by the catalogue;
    `None` is unknown. `first_error` is the first message of those that `failed`, or are `missing` since the vendor was
    in trouble: these are asked again.
    """

    model: str
    questions: int
    from_ledger: int
    truncated: int
    refused: int
    failed: int
    missing: int = 0
    first_error: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    estimate_usd: float | None = None
    cost_usd: float | None = None

    @property
    def others(self) -> dict[str, int]:
        """How many got no whole answer, by what became of them; only what has."""
        return {name: count for name in _OTHERS if (count := getattr(self, name))}

    @classmethod
    def of(cls, model: str, inquiry: Inquiry, answers: Sequence[Answer]) -> Self:
        """The counts of the answers to an inquiry; `model` is what people call the model."""
        outcomes = Counter[str](answer.outcome for answer in answers)
        told = [answer.usage for answer in answers if not answer.from_ledger and answer.usage]
        return cls(
            model=model,
            questions=len(answers),
            from_ledger=sum(answer.from_ledger for answer in answers),
            **{name: outcomes[name] for name in _OTHERS},
            first_error=next((answer.error for answer in answers if answer.outcome in ("failed", "missing")), None),
            prompt_tokens=sum(usage.prompt_tokens for usage in told) if told else None,
            completion_tokens=sum(usage.completion_tokens for usage in told) if told else None,
            estimate_usd=inquiry.estimate_usd,
            cost_usd=sum(map(inquiry.prices.of, told)) if inquiry.prices and told else None,
        )

    @classmethod
    def together(cls, rounds: Sequence[Self]) -> Self:
        """The counts of several rounds of questions to one model; what is unknown of one is unknown of all."""
        asked = [one for one in rounds if one.questions > one.from_ledger]
        return cls.model_validate(
            {
                "model": rounds[0].model,
                "first_error": next((one.first_error for one in rounds if one.first_error), None),
                "estimate_usd": _sum(rounds, "estimate_usd"),
                **{name: _sum(rounds, name) for name in _COUNTED},
                **{name: _sum(asked, name) for name in _TOLD if asked},
            }
        )


def _sum(rounds: Sequence[AnswerCounts], name: str) -> Any:
    parts = [getattr(one, name) for one in rounds]
    return None if None in parts else sum(parts)
