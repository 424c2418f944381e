"""Held-out rows that say less than they seem to: they, or rows much like them, were trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from ftbridge.dataset import read_examples
from ftbridge.dataset.canonical.example import Chat, Developer, Message, System
from ftbridge.dataset.checking.digests import digest
from ftbridge.dataset.checking.minhash import NearDuplicates, Signature, signature_of
from ftbridge.dataset.data_file import Data, data_file
from ftbridge.errors import FtbridgeError, MissingExtra
from ftbridge.evaluation.held_out import question_of
from ftbridge.graders.item import expected_answer
from ftbridge.model import Frozen, Spec

SHOWN = 10
"""How many lines, and labels, are listed."""

_MOST_LABELS = 50
_ROWS_OF_A_LABEL = 5  # on average: answers that are repeated less are texts
_encode = msgspec.json.Encoder().encode

Code = Literal[
    "training_file",
    "trained_rows",
    "trained_questions",
    "near_trained_rows",
    "labels_not_trained",
    "labels_not_held_out",
    "not_checked",
    "near_not_checked",
]


class Leak(Frozen):
    """One reason why held-out rows may flatter a model, or test less of it than they seem to.

    - `training_file`: the held-out file is the file that the job was trained on.
    - `trained_rows`, `trained_questions`: so many rows are in the training file, as they are or with another answer.
    - `near_trained_rows`: so many more are almost the same as a row of it, system messages left out.
    - `labels_not_trained`, `labels_not_held_out`: so many of the `labels` are on one side only.
    - `not_checked`: the training file cannot be read, for the `reason`. `near_not_checked`: rensa is not installed.

    `lines` are the first held-out rows that it is about, and `count` is the number of all.
    """

    code: Code
    file: str
    count: int = 0
    lines: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()
    reason: str | None = None


def leaks_into(held_out: Mapping[int, Chat], data: Data, spec: Spec) -> list[Leak]:
    """What of the held-out chats of `data`, by their lines, the job of `spec` was trained on."""
    training, file = spec.data, str(spec.data)
    if not training.is_file():
        return [Leak(code="not_checked", file=file, reason="there is no such file")]
    if Path(data).is_file() and Path(data).samefile(training):
        return [Leak(code="training_file", file=file, count=len(held_out), lines=tuple(held_out)[:SHOWN])]
    try:
        rows = read_examples(data_file(training, spec.map), format=spec.format)
        return _found(held_out, file, (example for _, example in rows if isinstance(example, Chat)))
    except FtbridgeError as problem:
        return [Leak(code="not_checked", file=file, reason=problem.message)]


def _found(held_out: Mapping[int, Chat], file: str, training: Iterable[Chat]) -> list[Leak]:
    near = _Near(held_out)
    rows, questions, answers = set[bytes](), set[bytes](), Counter[str]()
    for chat in training:
        rows.add(digest(_encode(chat.messages)))
        questions.add(digest(_encode(question_of(chat))))
        answers[expected_answer(chat)] += 1
        near.compare(chat)
    trained = [line for line, chat in held_out.items() if digest(_encode(chat.messages)) in rows]
    asked = [line for line, chat in held_out.items() if digest(_encode(question_of(chat))) in questions]
    asked = [line for line in asked if line not in {*trained}]
    resembled = sorted(near.found - {*trained, *asked})
    if len(trained) == len(held_out) and answers.total() == len(held_out):
        return [_leak("training_file", file, trained)]
    leaks = [
        _leak("trained_rows", file, trained),
        _leak("trained_questions", file, asked),
        _leak("near_trained_rows", file, resembled),
        *_labels(held_out, file, answers),
    ]
    found = [leak for leak in leaks if leak.count]
    return found if near.available else [*found, Leak(code="near_not_checked", file=file)]


def _leak(code: Code, file: str, lines: list[int]) -> Leak:
    return Leak(code=code, file=file, count=len(lines), lines=tuple(lines[:SHOWN]))


class _Near:
    """Which held-out rows resemble a training row: only the held-out ones are remembered, as they are few."""

    def __init__(self, held_out: Mapping[int, Chat]) -> None:
        self.found: set[int] = set()
        self.available = True
        try:
            self._index = NearDuplicates()
        except MissingExtra:
            self.available = False
            return
        for line, chat in held_out.items():
            self._index.remember(line, _signature(chat))

    def compare(self, chat: Chat) -> None:
        """Find those that the training row resembles."""
        if self.available:
            self.found.update(self._index.resembled(_signature(chat)))


def _signature(chat: Chat) -> Signature:
    own: list[Message] = [message for message in chat.messages if not isinstance(message, System | Developer)]
    return signature_of(Chat(messages=own))


def _labels(held_out: Mapping[int, Chat], file: str, trained: Counter[str]) -> list[Leak]:
    expected = {line: expected_answer(chat) for line, chat in held_out.items()}
    trained_labels, held_out_labels = {*trained} - {""}, {*expected.values()}
    if not 1 < len(trained_labels) <= _MOST_LABELS or trained.total() < _ROWS_OF_A_LABEL * len(trained_labels):
        return []
    strange = held_out_labels - trained_labels
    if len(strange) > len(held_out_labels) / 2:
        return []  # texts that happen to be repeated in training
    untested = trained_labels - held_out_labels
    lines = [line for line, answer in expected.items() if answer in strange]
    return [
        Leak(
            code="labels_not_trained",
            file=file,
            count=len(strange),
            lines=tuple(lines[:SHOWN]),
            labels=tuple(sorted(strange)[:SHOWN]),
        ),
        Leak(code="labels_not_held_out", file=file, count=len(untested), labels=tuple(sorted(untested)[:SHOWN])),
    ]
