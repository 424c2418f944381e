"""What asking may cost, and has cost, by the catalogue's prices of inference; where it has none, that is unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Lock
from typing import NamedTuple

from ftbridge.context import Context
from ftbridge.dataset import TokenCounter
from ftbridge.dataset.canonical.example import Chat
from ftbridge.errors import OverBudget
from ftbridge.provider import Usage
from ftbridge.target import Target
from ftbridge.wording import dollars

_MILLION = 1_000_000


class Prices(NamedTuple):
    """US dollars per token that is read, and that is written."""

    read: float
    written: float

    def of(self, usage: Usage) -> float:
        """What those tokens cost."""
        return self.read * usage.prompt_tokens + self.written * usage.completion_tokens


def prices_of(context: Context, target: Target, *, tuned: bool) -> Prices | None:
    """The prices of the target's tuned models, or of its base, which only a user's own row of the catalogue has."""
    facts = context.entry(target).facts
    if facts.own_machine:
        return Prices(0.0, 0.0)
    read, written = facts.base_input_usd_per_million_tokens, facts.base_output_usd_per_million_tokens
    if tuned:
        read, written = facts.input_usd_per_million_tokens, facts.output_usd_per_million_tokens
    if read is None or written is None:
        return None
    return Prices(read / _MILLION, written / _MILLION)


def estimate_usd(
    prices: Prices | None,
    token_counter: Callable[[], TokenCounter],
    asked: Iterable[tuple[Chat, Chat | None]],
    max_tokens: int | None,
) -> float | None:
    """What the questions may cost, each with the chat that ends with the expected answer, where one is expected.

    An answer is taken to be as long as the expected one or, where there is none, `max_tokens`.
    """
    if prices is None:
        return None
    if not any(prices):
        return 0.0
    counter, total = token_counter(), 0.0
    for question, expected in asked:
        read = counter.count(question)
        written = max(0, counter.count(expected) - read) if expected else max_tokens
        if written is None:
            return None
        total += prices.of(Usage(prompt_tokens=read, completion_tokens=written))
    return total * (1 + counter.error)


def check_estimate(estimates: Iterable[tuple[str, float | None]], limit: float | None) -> None:
    """Raises `OverBudget` where asking the named models may cost more than `limit` US dollars, or that is unknown."""
    if limit is None:
        return
    known = dict(estimates)
    if unknown := [name for name, usd in known.items() if usd is None]:
        raise OverBudget(
            f"what asking {unknown[0]} costs is not known, so the limit cannot be checked",
            hint="Remove the limit, or set the model's prices in [catalogue]; where no answer is expected, give "
            "--max-tokens too.",
        )
    total = sum(usd for usd in known.values() if usd is not None)
    if total > limit:
        raise OverBudget(
            f"asking may cost {dollars(total)}, and the limit is {dollars(limit)}",
            hint="Ask fewer questions, or raise the limit; nothing was asked.",
        )


class Spending:
    """What a command has spent on answers, by the tokens that vendors tell; at most about `limit` US dollars."""

    def __init__(self, limit: float | None = None) -> None:
        self._limit = limit
        self._spent = 0.0
        self._changing = Lock()

    def add(self, usd: float) -> None:
        """Count an answer."""
        with self._changing:
            self._spent += usd

    def check(self) -> None:
        """Raises `OverBudget` once the limit is passed."""
        if self._limit is not None and self._spent > self._limit:
            raise OverBudget(
                f"the answers have cost {dollars(self._spent)}, and the limit is {dollars(self._limit)}",
                hint="Raise the limit to ask the rest.",
            )
