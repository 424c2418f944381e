"""What is to be trained, as far as prices depend on it."""

from __future__ import annotations

from ftbridge.dataset import TokenCount
from ftbridge.model import Frozen, Method, Spec


class Work(Frozen):
    """What is to be trained: all weights with `full`.

    One epoch is `tokens` * (1 ± `tokens_relative_error`), 95 times in 100, and never more than `tokens_at_most`;
    likewise of the validation file. `None` where no bound is known.
    """

    method: Method = Method.SFT
    full: bool = False
    examples: int
    tokens: int
    tokens_relative_error: float = 0.0
    tokens_at_most: int | None = None
    validation_tokens: int = 0
    validation_tokens_at_most: int | None = 0
    epochs: int | None = None
    max_seq_length: int | None = None


def work_of(spec: Spec, count: TokenCount, held: TokenCount | None) -> Work:
    """What `spec` trains, on data of so many tokens; `held` are the billed tokens of the validation file."""
    return Work(
        method=spec.method,
        full=spec.hyperparameters.tuning == "full",
        examples=count.examples,
        tokens=count.tokens,
        tokens_relative_error=count.error,
        tokens_at_most=count.at_most,
        validation_tokens=held.tokens if held else 0,
        validation_tokens_at_most=held.at_most if held else 0,
        epochs=spec.hyperparameters.epochs,
        max_seq_length=spec.hyperparameters.max_seq_length,
    )
