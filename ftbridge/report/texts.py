"""Texts of rows and answers as a reader sees them: bounded, without characters that control a screen, and compared."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from ftbridge.foreign.redaction import without_keys_in_use
from ftbridge.wording import escaped

LONGEST = 1200
"""Characters of a text that are shown."""
KEPT = "\n\t\u00a0\u202f\u3000\u200c\u200d"
"""Characters that Unicode does not call printable, and that texts need: lines, blanks of some languages, joiners."""

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_ALIKE = 0.3  # below it two texts have only small words in common, and marks would be noise

Mark = Literal["same", "missing", "extra"]


class Part(NamedTuple):
    """A piece of a text: as in the other text, missing there in an answer, or extra in it."""

    text: str
    mark: Mark = "same"


class Shown(NamedTuple):
    """A text, of which `cut` characters at the end are not shown."""

    parts: tuple[Part, ...]
    cut: int = 0


def safe(text: str) -> str:
    """`text` with every character escaped that controls a screen or has no meaning alone, and keys in use masked."""
    return escaped(without_keys_in_use(text), KEPT)


def bounded(text: str, longest: int = LONGEST) -> Shown:
    """The beginning of a text."""
    return Shown((Part(text[:longest]),) if text else (), max(0, len(text) - longest))


def compared(expected: str, answer: str, longest: int = LONGEST) -> tuple[Shown, Shown]:
    """The expected text with what the answer lacks marked, and the answer with what is extra in it, word by word."""
    old, new = (_WORDS.findall(text[:longest]) for text in (expected, answer))
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if not expected or not answer or matcher.ratio() < _ALIKE:
        return bounded(expected, longest), bounded(answer, longest)
    missing, extra = list[Part](), list[Part]()
    for code, start, end, new_start, new_end in matcher.get_opcodes():
        same = code == "equal"
        missing += _parts("".join(old[start:end]), "same" if same else "missing")
        extra += _parts("".join(new[new_start:new_end]), "same" if same else "extra")
    return _shown(missing, expected, longest), _shown(extra, answer, longest)


def _parts(text: str, mark: Mark) -> list[Part]:
    """The text as marked, but for the blanks at its end."""
    if mark == "same":
        return [Part(text)]
    words = text.rstrip()
    return [Part(words, mark), Part(text[len(words) :])]


def _shown(parts: list[Part], text: str, longest: int) -> Shown:
    return Shown(tuple(part for part in parts if part.text), max(0, len(text) - longest))
