"""Which answers become rows: all that teach something, or of each question the one with the best score."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

import msgspec

from ftbridge.dataset.canonical.example import Chat
from ftbridge.distillation.candidates import Candidate
from ftbridge.distillation.rows import Rejected

_encode = msgspec.json.Encoder().encode


def choose(candidates: Iterable[Candidate], *, graded: bool, minimum: float | None) -> Iterator[Candidate]:
    """All of them in order, those that are not chosen with the reason.

    Of graded answers to a question the best from `minimum` on is chosen, of equal ones the first; of others each that
    differs from those before it.
    """
    for _line, group in groupby(candidates, key=lambda one: one.question.line):
        samples = [*group]
        yield from _best(samples, minimum) if graded else _different(samples)


def _best(samples: Iterable[Candidate], minimum: float | None) -> Iterator[Candidate]:
    passed = [_from_minimum(one, minimum) for one in samples]
    rows = [one for one in passed if isinstance(one.row, Chat)]
    best = max(rows, key=lambda one: one.score or 0.0, default=None)  # the first of equal ones
    for one in passed:
        is_row = isinstance(one.row, Chat)
        yield one.rejected(Rejected("worse_sample")) if is_row and one is not best else one


def _from_minimum(one: Candidate, minimum: float | None) -> Candidate:
    if isinstance(one.row, Rejected) or minimum is None or one.score is None or one.score >= minimum:
        return one
    return one.rejected(Rejected("below_minimum"))


def _different(samples: Iterable[Candidate]) -> Iterator[Candidate]:
    seen: dict[bytes, int] = {}
    for one in samples:
        if isinstance(one.row, Rejected):
            yield one
            continue
        first = seen.setdefault(_encode(one.row), one.sample)
        yield one if first == one.sample else one.rejected(Rejected("same_answer", f"as sample {first}"))
