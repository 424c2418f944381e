"""An example as a model reads it in training: its tokens, and which of them are trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from msgspec import Struct

from ftbridge.dataset.canonical.example import Example
from ftbridge.dataset.findings import Diagnostics


class RenderedToken(Struct, frozen=True):
    """A token of a row; `text` is what it stands for.

    The text of a character that takes several tokens is that of the first of them, and the others have none.
    """

    id: int
    text: str
    trained: bool


class RenderedRow(Struct, frozen=True, omit_defaults=True):
    """A row as the model reads it: the texts of its tokens are `text`, but for characters that the tokenizer drops.

    `end` is the id of the trained token that ends the last answer, and None where none is trained. `output` says which
    output of a preference the row is of. `cut_off` are the tokens of the example that the model does not read, because
    the row is too long.
    """

    text: str
    tokens: tuple[RenderedToken, ...]
    end: int | None
    output: Literal["preferred_output", "non_preferred_output"] | None = None
    cut_off: int = 0


Renderer: TypeAlias = Callable[[Example, Diagnostics], tuple[RenderedRow, ...]]
"""The rows of an example: one, of a preference that of each output; none, and an error, where it cannot be trained."""
