"""What to think about before paying: nothing here is wrong, and all of it can spoil a model."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import xxhash

from ftbridge.dataset.canonical.example import Assistant, Chat, Example
from ftbridge.dataset.canonical.texts import content_texts, texts
from ftbridge.dataset.checking.near_duplicates import NearDuplicates, sketch
from ftbridge.dataset.checking.secrets import SECRETS, secrets
from ftbridge.dataset.findings import Diagnostics, Finding
from ftbridge.dataset.reading.examples import sound_examples
from ftbridge.wording import printable

FEW = 50
_DOMINANT = 0.6

_FIXES = {
    "duplicates": "ftbridge prepare leaves them out.",
    "near_duplicates": "ftbridge prepare --dedupe near leaves them out.",
    "overlap": "Take them out of one of the files: the validation loss would flatter the model.",
}


def advise(
    path: str | Path,
    *,
    validation: str | Path | None = None,
    near: bool = False,
    format: str | None = None,  # noqa: A002  # the word of the CLI
) -> tuple[Finding, ...]:
    """Warnings about a dataset as a whole, each with the first line that it is about.

    Repeated examples (with `near`, nearly repeated ones too), examples that are in the
    `validation` file as well, secrets and personal data, too few examples, and one answer that
    outweighs all others. Rows with errors are passed over. Raises `InputError` for what cannot
    be opened, and `MissingExtra` for `near` without rensa.
    """
    advice = _Advice(near)
    held = {_digest(example) for _, example in sound_examples(validation, format)} if validation is not None else set()
    for line, example in sound_examples(path, format):
        advice.look(line, example, held)
    return advice.given()


class _Advice:
    """What has been seen of a file: counts, and first lines."""

    def __init__(self, near: bool) -> None:
        self._near = NearDuplicates() if near else None
        self._seen: set[bytes] = set()
        self._answers: Counter[bytes] = Counter()
        self._example_of: dict[bytes, tuple[int, str]] = {}
        self._counts: Counter[str] = Counter()
        self._first: dict[str, tuple[int, str]] = {}
        self._examples = 0

    def look(self, line: int, example: Example, held: set[bytes]) -> None:
        self._examples += 1
        digest = _digest(example)
        if digest in held:
            self._count("overlap", line)
        if digest in self._seen:
            self._count("duplicates", line)
        elif self._near is not None and self._near.earlier(line, sketch(example)) is not None:
            self._count("near_duplicates", line)
        self._seen.add(digest)
        for text in texts(example):
            for code, shown in secrets(text):
                self._count(code, line, shown)
        answer = _answer(example)
        if answer:
            key = xxhash.xxh3_128_digest(answer.encode())
            self._answers[key] += 1
            if len(self._example_of) < 1000:
                self._example_of.setdefault(key, (line, answer))

    def given(self) -> tuple[Finding, ...]:
        diagnostics = Diagnostics()
        for code, count in self._counts.items():
            diagnostics.line, shown = self._first[code]
            rows, are, say = ("row", "is", "says") if count == 1 else ("rows", "are", "say")
            if code in SECRETS:
                name, ending = SECRETS[code]
                what = name + ending * (count > 1)
                said = f"{count} {what} in the data, the first of them '{printable(shown)}'"
                diagnostics.warning(
                    "$", code, said, "Replace them by made-up ones, or be sure that the vendor may have them."
                )
            elif code == "overlap":
                diagnostics.warning("$", code, f"{count} {rows} {are} in the validation file as well", _FIXES[code])
            else:
                how = "nearly the same as" if code == "near_duplicates" else "the same as"
                diagnostics.warning("$", code, f"{count} {rows} {say} {how} an earlier one", _FIXES[code])
        diagnostics.line = 0
        if 0 < self._examples < FEW:
            said = f"the number of examples is {self._examples}, and fewer than {FEW} seldom teach much"
            diagnostics.warning("$", "few_examples", said, "Add more, if you can.")
        self._look_for_one_answer(diagnostics)
        return tuple(diagnostics.findings)

    def _look_for_one_answer(self, diagnostics: Diagnostics) -> None:
        key, count = next(iter(self._answers.most_common(1)), (b"", 0))
        if self._examples >= FEW and count > _DOMINANT * self._examples and key in self._example_of:
            diagnostics.line, answer = self._example_of[key]
            said = f"{count / self._examples:.0%} of the examples have one and the same answer, '{printable(answer)}'"
            diagnostics.warning("$", "one_answer", said, "Balance the answers: the model may learn to give no other.")

    def _count(self, code: str, line: int, shown: str = "") -> None:
        self._counts[code] += 1
        self._first.setdefault(code, (line, shown))


def _digest(example: Example) -> bytes:
    return xxhash.xxh3_128_digest(msgspec.json.encode(example))


def _answer(example: Example) -> str:
    last = example.messages[-1] if isinstance(example, Chat) else None
    return "\n".join(content_texts(last.content)) if isinstance(last, Assistant) else ""
