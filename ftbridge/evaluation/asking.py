"""Who is asked in an evaluation, and what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ftbridge.answers import Inquiry, prepare
from ftbridge.context import Context
from ftbridge.dataset.canonical.example import Chat
from ftbridge.evaluation.held_out import questions_of
from ftbridge.target import Target


class Contender(NamedTuple):
    """One model of an evaluation, and the chats that it is scored on; `tuned` unless it is a base."""

    name: str
    target: Target
    model: str
    chats: Mapping[int, Chat]
    tuned: bool = True


def inquiry_of(context: Context, one: Contender, *, fresh: bool) -> Inquiry:
    """What asking that model takes."""
    expected = [*one.chats.values()]
    questions = questions_of(one.chats)
    return prepare(context, one.target, one.model, questions, tuned=one.tuned, expected=expected, fresh=fresh)
