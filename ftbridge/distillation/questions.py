"""What the teacher is asked: each prompt once, with its own system message or the one that is given for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any, NamedTuple

from msgspec.structs import replace

from ftbridge.answers import question_hash
from ftbridge.dataset.canonical.example import Assistant, Chat, Developer, Message, System
from ftbridge.dataset.checking.minhash import NearDuplicates, signature_of
from ftbridge.dataset.reading.prompts import Prompt
from ftbridge.graders.item import item_of


class Question(NamedTuple):
    """The prompt on a line of the file: as the teacher is asked it, and as it stands in the row for the student."""

    line: int
    prompt: Prompt
    asked: Chat
    taught: Chat

    @property
    def expected(self) -> Chat | None:
        """The question with the answer that the file has."""
        answer = self.prompt.answer
        return replace(self.asked, messages=[*self.asked.messages, answer]) if answer else None

    @property
    def item(self) -> Mapping[str, Any]:
        """What graders read of it: the row, and what the reference of a task has."""
        chat, answer, reference = self.prompt.chat, self.prompt.answer, self.prompt.reference
        return item_of(replace(chat, messages=[*chat.messages, answer]) if answer else chat, reference)


class Questions(NamedTuple):
    """The questions, and how many prompts were left out since an earlier one is equal, or nearly."""

    questions: list[Question]
    duplicates: int = 0
    near_duplicates: int = 0


def choose_questions(
    prompts: Mapping[int, Prompt], system: str | None, *, hide_system: bool, near_duplicates: bool
) -> Questions:
    """Each prompt once; with `near_duplicates` those that resemble an earlier one are left out as well.

    The text `system` takes the place of a prompt's own system message: in what is asked alone with `hide_system`, else
    in the row too. Raises `MissingExtra` for `near_duplicates` without rensa.
    """
    every = [*_questions(prompts, system, hide_system=hide_system)]
    first = {question_hash(one.taught): one for one in reversed(every)}
    different = sorted(first.values())
    kept = [*_without_near(different)] if near_duplicates else different
    return Questions(kept, len(every) - len(different), len(different) - len(kept))


def _questions(prompts: Mapping[int, Prompt], system: str | None, *, hide_system: bool) -> Iterator[Question]:
    for line, prompt in prompts.items():
        untrained = replace(prompt.chat, messages=[*map(_untrained, prompt.chat.messages)])
        asked = untrained if system is None else _with_system(untrained, system)
        yield Question(line, prompt, asked, untrained if hide_system else asked)


def _untrained(message: Message) -> Message:
    """The message as it stands before what is trained: that is the teacher's answer alone."""
    return replace(message, weight=0 if isinstance(message, Assistant) else None)


def _with_system(chat: Chat, system: str) -> Chat:
    own = [*takewhile(lambda message: isinstance(message, System | Developer), chat.messages)]
    return replace(chat, messages=[System(content=system), *chat.messages[len(own) :]])


def _without_near(questions: list[Question]) -> Iterator[Question]:
    seen = NearDuplicates()
    for one in questions:
        if seen.earlier(one.line, signature_of(one.taught)) is None:
            yield one
