"""What to consider before paying: nothing here is an error, and all of it can spoil a model."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Set
from operator import attrgetter

from msgspec import Struct

from ftbridge.dataset.canonical.example import Assistant, Chat, Example
from ftbridge.dataset.canonical.texts import content_texts
from ftbridge.dataset.checking.digests import Digests, answer_digest, digest
from ftbridge.dataset.checking.minhash import NearDuplicates, Signature, signature_of
from ftbridge.dataset.checking.secrets import KINDS
from ftbridge.dataset.checking.suspects import secrets_of
from ftbridge.dataset.data_file import Data
from ftbridge.dataset.findings import Diagnostics, Finding
from ftbridge.dataset.reading.batch import Batch
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
        self._signatures: list[Signature] | None = [] if near_duplicates else None
        self._digests: list[bytes] = []
        self._lines = array("Q")
        self._answers = array("Q")  # the digest of each example's answer
        self._first_answers: dict[int, tuple[int, str]] = {}
        self._secrets: dict[str, _Topic] = {}

    def observe(self, batch: Batch) -> None:
        """Take in some examples."""
        self._digests += map(digest, batch.rows)
        self._lines.extend(batch.lines)
        if self._signatures is not None:
            self._signatures += map(signature_of, batch.examples)
        for line, code, shown in secrets_of(batch):
            self._secrets.setdefault(code, _Topic(code, line, shown=shown)).count += 1
        answers = list(map(_answer, batch.examples))
        keys = [answer_digest(answer.encode()) for answer in answers]
        self._answers.extend(keys)
        if len(self._first_answers) < _ANSWERS_KEPT:
            for key, line, answer in zip(keys, batch.lines, answers, strict=True):
                self._first_answers.setdefault(key, (line, answer[:_SHOWN]))

    def part(self, _number: int, _parts: int) -> Advice:
        """An observer for one of the file's parts."""
        return Advice(near_duplicates=self._signatures is not None)

    def add(self, later: Advice, lines_before: int) -> None:
        """Take in what was collected from the rows that come next, whose lines are counted from there."""
        self._digests += later._digests
        self._lines.extend(line + lines_before for line in later._lines)
        self._answers.extend(later._answers)
        if self._signatures is not None:
            self._signatures += later._signatures or ()
        for code, topic in later._secrets.items():
            known = self._secrets.setdefault(code, _Topic(code, topic.line + lines_before, shown=topic.shown))
            known.count += topic.count
        for key, (line, answer) in later._first_answers.items():
            self._first_answers.setdefault(key, (line + lines_before, answer))

    def findings(self, validation: Set[bytes] = frozenset()) -> tuple[Finding, ...]:
        """The warnings; `validation` are the digests of the examples that are held out."""
        diagnostics = Diagnostics()
        topics = [*self._shared(validation), *self._repeated(), *self._secrets.values()]
        for topic in sorted(topics, key=attrgetter("line")):
            diagnostics.line = topic.line
            _warn(topic, diagnostics)
        diagnostics.line = 0
        examples = len(self._lines)
        if 0 < examples < FEW:
            message = f"the file has {counted(examples, 'example')}, and fewer than {FEW} rarely teach much"
            diagnostics.warning("$", "few_examples", message, "Add more, if you can.")
        elif examples:
            self._warn_of_one_answer(diagnostics)
        return tuple(diagnostics.findings)

    def _keys(self) -> Iterator[tuple[bytes, int]]:
        """The digest of each example and its line."""
        return zip(self._digests, self._lines, strict=True)

    def _shared(self, validation: Set[bytes]) -> list[_Topic]:
        """What is in the validation file as well."""
        lines = [line for key, line in self._keys() if key in validation] if validation else []
        return [_Topic("overlap", lines[0], len(lines))] if lines else []

    def _repeated(self) -> list[_Topic]:
        """The examples that an earlier one equals, and those that one resembles."""
        repeated = len(self._lines) - len(set(self._digests))
        if not repeated and self._signatures is None:
            return []
        near = NearDuplicates() if self._signatures is not None else None
        seen: set[bytes] = set()
        topics: dict[str, _Topic] = {}
        for number, (key, line) in enumerate(self._keys()):
            if key in seen:
                topics.setdefault("duplicates", _Topic("duplicates", line, repeated))
                if near is None:
                    break
            elif near and self._signatures and near.earlier(line, self._signatures[number]) is not None:
                topics.setdefault("near_duplicates", _Topic("near_duplicates", line)).count += 1
            seen.add(key)
        return list(topics.values())

    def _warn_of_one_answer(self, diagnostics: Diagnostics) -> None:
        (key, count), examples = Counter(self._answers).most_common(1)[0], len(self._answers)
        diagnostics.line, answer = self._first_answers.get(key, (0, ""))
        if answer and count > _DOMINANT * examples:
            message = f"{count / examples:.0%} of the examples have the same answer, '{printable(answer)}'"
            fix = "Balance the answers: the model may learn to give no other."
            diagnostics.warning("$", "one_answer", message, fix)


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
