"""What to consider before paying: nothing here is an error, and all of it can spoil a model."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Set
from operator import attrgetter

from msgspec import Struct

from ftbridge.dataset.canonical.example import Assistant, Chat, Example
from ftbridge.dataset.canonical.texts import content_texts
from ftbridge.dataset.checking.digests import Digests, digest
from ftbridge.dataset.checking.minhash import NearDuplicates, signature_of
from ftbridge.dataset.checking.secrets import KINDS, secrets_of
from ftbridge.dataset.data_file import Data
from ftbridge.dataset.findings import Diagnostics, Finding
from ftbridge.dataset.reading.observer import observe_file
from ftbridge.wording import counted, printable

FEW = 50
_DOMINANT = 0.6
_SHOWN = 100  # characters of an answer
_ANSWERS_KEPT = 1000  # texts of different answers, to show the one that dominates


def advise(
    path: Data,
    *,
    validation: Data | None = None,
    near_duplicates: bool = False,
    format: str | None = None,  # noqa: A002  # the word of the CLI
) -> tuple[Finding, ...]:
    """Warnings about a dataset as a whole, each with the first line that it is about.

    Duplicates (with `near_duplicates`, near duplicates too), examples that are in the `validation` file as well,
    secrets and personal data, too few examples, and one answer that dominates all others. Rows with errors are
    skipped. Raises `InputError` for what cannot be opened, and `MissingExtra` for `near_duplicates` without rensa.
    """
    advice, held_out = Advice(near_duplicates=near_duplicates), Digests()
    if validation is not None:
        observe_file(validation, [held_out], format=format)
    observe_file(path, [advice], format=format)
    return advice.findings(held_out.digests)


class _Topic(Struct):
    """One thing to consider: how often it occurs, on which line first, and what is shown of it there."""

    code: str
    line: int
    count: int = 0
    shown: str = ""


class Advice:
    """An observer that collects what `advise` warns about."""

    def __init__(self, *, near_duplicates: bool = False) -> None:
        self._near = NearDuplicates() if near_duplicates else None
        self._first_lines: dict[bytes, int] = {}
        self._repeated: Counter[bytes] = Counter()
        self._answers: Counter[bytes] = Counter()
        self._answer_texts: dict[bytes, tuple[int, str]] = {}
        self._topics: dict[str, _Topic] = {}
        self._examples = 0

    def observe(self, line: int, example: Example, data: bytes) -> None:
        """Take in one example."""
        self._examples += 1
        key = digest(data)
        if self._first_lines.setdefault(key, line) != line:
            self._repeated[key] += 1
            self._count("duplicates", line)
        elif self._near is not None and self._near.earlier(line, signature_of(example)) is not None:
            self._count("near_duplicates", line)
        for code, shown in secrets_of(example, data):
            self._count(code, line, shown)
        if answer := _answer(example):
            key = digest(answer.encode())
            self._answers[key] += 1
            if len(self._answer_texts) < _ANSWERS_KEPT:
                self._answer_texts.setdefault(key, (line, answer[:_SHOWN]))

    def findings(self, validation: Set[bytes] = frozenset()) -> tuple[Finding, ...]:
        """The warnings; `validation` are the digests of the examples that are held out."""
        diagnostics = Diagnostics()
        for topic in self._by_line(validation):
            diagnostics.line = topic.line
            _warn(topic, diagnostics)
        diagnostics.line = 0
        if 0 < self._examples < FEW:
            message = f"the file has {counted(self._examples, 'example')}, and fewer than {FEW} rarely teach much"
            diagnostics.warning("$", "few_examples", message, "Add more, if you can.")
        self._warn_of_one_answer(diagnostics)
        return tuple(diagnostics.findings)

    def _by_line(self, validation: Set[bytes]) -> list[_Topic]:
        """The topics in the order of their first lines; on the same line overlap comes first."""
        topics = list(self._topics.values())
        shared = self._first_lines.keys() & validation
        if shared:
            overlap = _Topic("overlap", min(self._first_lines[key] for key in shared))
            overlap.count = sum(1 + self._repeated[key] for key in shared)
            topics.insert(bisect_left(topics, overlap.line, key=attrgetter("line")), overlap)
        return topics

    def _warn_of_one_answer(self, diagnostics: Diagnostics) -> None:
        key, count = next(iter(self._answers.most_common(1)), (b"", 0))
        if self._examples >= FEW and count > _DOMINANT * self._examples and key in self._answer_texts:
            diagnostics.line, answer = self._answer_texts[key]
            message = f"{count / self._examples:.0%} of the examples have the same answer, '{printable(answer)}'"
            fix = "Balance the answers: the model may learn to give no other."
            diagnostics.warning("$", "one_answer", message, fix)

    def _count(self, code: str, line: int, shown: str = "") -> None:
        topic = self._topics.get(code)
        if topic is None:
            topic = self._topics[code] = _Topic(code, line, shown=shown)
        topic.count += 1


def _warn(topic: _Topic, diagnostics: Diagnostics) -> None:
    code, count = topic.code, topic.count
    if code in KINDS:
        kind = KINDS[code]
        name = kind.name + kind.plural * (count > 1)
        message = f"{count} {name} in the data, the first of them '{printable(topic.shown)}'"
        fix = "Replace them with made-up ones, or make sure that the vendor may have them."
    elif code == "overlap":
        message = f"{counted(count, 'row')} {'is' if count == 1 else 'are'} in the validation file as well"
        fix = "Remove them from one of the files: the validation loss would flatter the model."
    elif code == "near_duplicates":
        message = f"{counted(count, 'row')} {_repeats(count)} an earlier one almost exactly"
        fix = "ftbridge prepare --dedupe near leaves them out."
    else:
        message = f"{counted(count, 'row')} {_repeats(count)} an earlier one"
        fix = "ftbridge prepare leaves them out."
    diagnostics.warning("$", code, message, fix)


def _repeats(count: int) -> str:
    return "repeats" if count == 1 else "repeat"


def _answer(example: Example) -> str:
    last = example.messages[-1] if type(example) is Chat and example.messages else None
    if type(last) is not Assistant:
        return ""
    return last.content if type(last.content) is str else "\n".join(content_texts(last.content))
