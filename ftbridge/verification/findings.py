"""What a verification finds, as data: rows, first differences, and causes with what to do about them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ftbridge.model import Frozen
from ftbridge.provider.served import Answer, Prompt, ReferenceRow, ServedFacts, Token

Code = Literal[
    "template",
    "bos_missing",
    "bos_added",
    "tokenizer",
    "context",
    "stop_tokens",
    "stops_early",
    "length_limit",
    "penalties",
    "sampling_defaults",
    "quantisation",
    "base_model",
    "weights",
    "rounding",
    "unexplained",
]
Comparison = Literal["same", "different", "unknown"]


class Evidence(Frozen):
    """Everything that was asked about a row.

    `prompt` is the server's own, `own_ids` are its tokens of the reference's text, `proceeded` is its answer after the
    reference's own prompt. `neutral` is the answer with all penalties off, and `by_default` the one to a request that
    names no temperature. `base` is what the base model answers. What was not asked, or not answered, is None.
    """

    line: int
    reference: ReferenceRow
    chat: Answer
    prompt: Prompt | None = None
    own_ids: tuple[int, ...] | None = None
    proceeded: Answer | None = None
    neutral: Answer | None = None
    by_default: Answer | None = None
    base: Answer | None = None


class FirstDifference(Frozen):
    """Where two texts part: the token there on each side, None where one has ended, and the text around it.

    `index` counts tokens from 0; it is None, as the tokens are, where only texts are known, and `before` has the last
    characters that both have.
    """

    where: Literal["prompt", "answer", "default answer"]
    index: int | None
    before: str
    trained: Token | None
    served: Token | None
    trained_text: str
    served_text: str


class Finding(Frozen):
    """One cause in one row. A note is no difference by itself: `decisive` is false."""

    code: Code
    detail: str = ""
    decisive: bool = True


class RowVerdict(Frozen):
    """A row's comparison. `logprob_gap` is the largest difference of a token's logprob on both sides, in nats."""

    line: int
    prompt: Comparison
    answer: Comparison
    findings: tuple[Finding, ...] = ()
    first: FirstDifference | None = None
    logprob_gap: float | None = None

    @property
    def same(self) -> bool:
        """Whether nothing decisive differs."""
        return not any(finding.decisive for finding in self.findings)


class Cause(Frozen):
    """Why rows differ: a code for programs, a sentence, what to do, and the lines that show it."""

    code: Code
    message: str
    fix: str
    decisive: bool
    lines: tuple[int, ...]


class Verification(Frozen):
    """What came out; `same` is whether the served model is the trained one in everything that could be compared.

    `not_compared` are sentences on what could not be.
    """

    job: str
    served: ServedFacts
    same: bool
    rows: tuple[RowVerdict, ...]
    causes: tuple[Cause, ...] = Field(default=())
    not_compared: tuple[str, ...] = ()
