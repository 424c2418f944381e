"""Rows as people look at them: each token with its text, and whether it is trained.

They are made by the code that makes the trainer's rows, and cut to the same length.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from ftbridge.dataset.canonical.example import Example, Preference
from ftbridge.dataset.findings import Diagnostics
from ftbridge.dataset.rendered import RenderedRow, RenderedToken
from ftbridge_local.tokenizing.encoding import Reading, readings
from ftbridge_local.tokenizing.messages import UntrainableError
from ftbridge_local.tokenizing.tokenizer import Tokenizer

_OUTPUTS: tuple[Literal["preferred_output", "non_preferred_output"], ...] = ("preferred_output", "non_preferred_output")


def render(
    example: Example, diagnostics: Diagnostics, *, tokenizer: Tokenizer, max_length: int
) -> tuple[RenderedRow, ...]:
    """The rows of an example as the trainer reads them; none, and an error, where the model cannot train on it."""
    try:
        made = readings(example, tokenizer)
    except UntrainableError as problem:
        diagnostics.error(problem.path, problem.code, problem.message, problem.fix)
        return ()
    outputs = _OUTPUTS if isinstance(example, Preference) else (None,)
    return tuple(_rendered(one, output, tokenizer, max_length) for one, output in zip(made, outputs, strict=True))


def _rendered(
    reading: Reading,
    output: Literal["preferred_output", "non_preferred_output"] | None,
    tokenizer: Tokenizer,
    max_length: int,
) -> RenderedRow:
    row = reading.row.truncate(max_length)
    tokens = tuple(map(RenderedToken, row.ids, _texts(reading), row.trained))
    last = next((token.id for token in reversed(tokens) if token.trained), None)
    return RenderedRow(
        text=reading.text[: reading.offsets[len(tokens) - 1][1]] if row.tokens < reading.row.tokens else reading.text,
        tokens=tokens,
        end=last if last in tokenizer.end_ids else None,
        output=output,
        cut_off=reading.row.tokens - row.tokens,
    )


def _texts(reading: Reading) -> Iterator[str]:
    """What each token adds to the text: of the tokens of one character, the first."""
    done = 0
    for start, end in reading.offsets:
        yield reading.text[max(start, done) : end]
        done = max(done, end)
