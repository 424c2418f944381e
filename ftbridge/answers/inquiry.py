"""One model and the questions to it, with the answers that are stored already: what asking will take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ftbridge.answers.answer import Answer
from ftbridge.answers.price import Prices, estimate_usd, prices_of
from ftbridge.answers.question import question_hash, variant_hash
from ftbridge.context import Context
from ftbridge.dataset.canonical.example import Chat
from ftbridge.ledger import Asked, stored_answers
from ftbridge.provider import Provider
from ftbridge.stored import read_stored
from ftbridge.target import Target


@dataclass(frozen=True)
class Inquiry:
    """The questions by their hashes, of which `chats` has each once, and `stored` those that are not asked again."""

    provider: Provider
    asked: Asked
    hashes: Sequence[str]
    chats: Mapping[str, Chat]
    options: Mapping[str, Any]
    stored: Mapping[str, Answer]
    prices: Prices | None
    estimate_usd: float | None
    fresh: bool = field(default=False, kw_only=True)

    @property
    def unanswered(self) -> dict[str, Chat]:
        """What has to be asked, in order."""
        return {key: chat for key, chat in self.chats.items() if key not in self.stored}


def prepare(
    context: Context,
    target: Target,
    model: str,
    questions: Sequence[Chat],
    *,
    tuned: bool,
    expected: Sequence[Chat | None] | None = None,
    options: Mapping[str, Any] | None = None,
    sample: int = 0,
    fresh: bool = False,
) -> Inquiry:
    """Look up which of `questions` the model at the target's provider has answered, and what the others may cost.

    `model` is a `tuned` model's name or the base's own. `options` are those of a chat completion. Answers to the same
    question and options differ by `sample`, a number from 0; equal questions are asked once. `fresh` asks all of them
    anew. `expected` are the chats that end with the expected answers, from which the cost is estimated; None where
    no answer is expected.
    """
    options, provider = dict(options or {}), context.provider(target)
    hashes = [question_hash(chat) for chat in questions]
    asked = Asked(provider.account, model, variant_hash(model, options, sample))
    stored = {} if fresh else stored_answers(context.ledger, asked, [*dict.fromkeys(hashes)])
    chats = dict(zip(hashes, questions, strict=True))
    likely = dict(zip(hashes, expected, strict=True)) if expected is not None else {}
    prices = prices_of(context, target, tuned=tuned)
    counter = partial(provider.token_counter, target.model)
    unasked = [(chat, likely.get(key)) for key, chat in chats.items() if key not in stored]
    return Inquiry(
        provider=provider,
        asked=asked,
        hashes=hashes,
        chats=chats,
        options=options,
        stored={
            key: read_stored(Answer, answer).model_copy(update={"from_ledger": True}) for key, answer in stored.items()
        },
        prices=prices,
        estimate_usd=estimate_usd(prices, counter, unasked, options.get("max_tokens")) if unasked else 0.0,
        fresh=fresh,
    )
