"""Answers with a label, true for wanted and false for unwanted: TRL's unpaired preferences, LLaMA-Factory's kto_tag.

No vendor trains on them as they are, and an unwanted answer must not be trained as a good one, so they are read
only in one of two ways that the user names. `kto-wanted` keeps the wanted answers, `kto-pairs` makes a
preference of a wanted and an unwanted answer to the same messages.
Sources: huggingface.co/docs/trl, "Unpaired preference"; LLaMA-Factory, `data/README.md`; read 2026-11.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias

from ftbridge.dataset.findings import Diagnostics, Finding
from ftbridge.dataset.formats.base import FieldReader, Format, JsonObject
from ftbridge.dataset.formats.chat import read_chat
from ftbridge.dataset.formats.complete import LABELS, verdict
from ftbridge.wording import counted

Recognise: TypeAlias = Callable[[JsonObject], Format | None]


class Wanted:
    """The wanted answers as chats."""

    def __init__(self, recognise: Recognise) -> None:
        self._recognise = recognise
        self._unwanted = 0

    def translate(self, row: FieldReader) -> JsonObject | None:
        """The chat, where its answer is wanted."""
        wanted = _take_verdict(row)
        if wanted is False:
            self._unwanted += 1
        return _chat(row, self._recognise) if wanted else None

    def end(self, diagnostics: Diagnostics) -> None:
        """Tell how many answers were not wanted."""
        if self._unwanted:
            message = f"{counted(self._unwanted, 'row')} with an unwanted answer {_is_left_out(self._unwanted)}"
            _tell(diagnostics, message, "Use the format kto-pairs for preferences, which learn from both.")


class Pairs:
    """Preferences of a wanted and an unwanted answer to the same messages. Answers wait in memory for their partner."""

    def __init__(self, recognise: Recognise) -> None:
        self._recognise = recognise
        self._waiting: dict[str, tuple[bool, list[Any]]] = {}

    def translate(self, row: FieldReader) -> JsonObject | None:
        """The preference, where an answer of the other kind was waiting."""
        wanted = _take_verdict(row)
        chat = None if wanted is None else _chat(row, self._recognise)
        if wanted is None or chat is None or not chat.get("messages"):
            return None
        *before, answer = chat.pop("messages")
        for one in before:
            if isinstance(one, dict):
                one.pop("weight", None)
        prompt = {"messages": before, **chat}
        key = json.dumps(prompt, sort_keys=True)
        waiting_wanted, answers = self._waiting.setdefault(key, (wanted, []))
        if waiting_wanted == wanted:
            answers.append(answer)
            return None
        partner = answers.pop(0)
        if not answers:
            del self._waiting[key]
        better, worse = (answer, partner) if wanted else (partner, answer)
        return {"input": prompt, "preferred_output": [better], "non_preferred_output": [worse]}

    def end(self, diagnostics: Diagnostics) -> None:
        """Tell how many answers are still waiting."""
        alone = sum(len(answers) for _, answers in self._waiting.values())
        if alone:
            message = f"{counted(alone, 'row')} without an answer of the other kind {_is_left_out(alone)}"
            _tell(diagnostics, message, "A pair is a wanted and an unwanted answer to the same messages.")


def formats(recognise: Recognise) -> tuple[Format, ...]:
    """The two formats, which read rows that `recognise` knows without their label."""
    return (
        Format("kto-wanted", "chat", _has_label, select=lambda: Wanted(recognise)),
        Format("kto-pairs", "preference", _has_label, select=lambda: Pairs(recognise)),
    )


def _has_label(row: JsonObject) -> bool:
    return any(row.get(key) is not None for key in LABELS)


def _take_verdict(row: FieldReader) -> bool | None:
    """Whether the answer is wanted; None, and an error, where the row does not say."""
    key = next(filter(row.has, LABELS), LABELS[0])
    label = row.take(key)
    wanted = verdict(label)
    if wanted is not None:
        return wanted
    problem = "the key 'label' is missing" if label is None else "the label is neither true nor false"
    row.refuse(problem, "Give true for a wanted answer, false for an unwanted one.", *([] if label is None else [key]))
    return None


def _chat(row: FieldReader, recognise: Recognise) -> JsonObject | None:
    rest = row.rest()
    known = recognise(rest)
    if known is None or known.shape != "chat":
        row.refuse("beside its label the row is in no known format of chats", "Give it a prompt and a completion.")
        return None
    return known.translate(row) if known.translate else read_chat(row)


def _is_left_out(count: int) -> str:
    return "is left out" if count == 1 else "are left out"


def _tell(diagnostics: Diagnostics, message: str, fix: str) -> None:
    diagnostics.add(Finding(0, "$", "warning", "left_out", message, fix))
