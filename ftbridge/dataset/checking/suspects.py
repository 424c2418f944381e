"""Which rows of a file may have secrets: the others, nearly all, are ruled out without a regular expression.

What every secret of a kind contains is looked for in many rows at once: by SIMD the search for one text runs through
some twenty gigabytes a second, where an expression that may begin anywhere takes a fiftieth of a microsecond a byte.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from stringzilla import translate  # type: ignore[import-not-found,import-untyped,unused-ignore]  # has no types

from ftbridge.dataset.canonical.texts import texts
from ftbridge.dataset.canonical.usual import rows_with
from ftbridge.dataset.checking.secrets import KINDS, secrets
from ftbridge.dataset.reading.batch import Batch
from ftbridge.foreign.redaction import KEY_MARKS

_WORD = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
_ESCAPE = 6  # bytes of JSON's longest escape, \u0000

# In an outline of the rows a digit is 0, a capital A, what may stand between digits -, a plus +, and all else a dot.
# The bytes of digits that are not ASCII (ef bc 90…99, d9 a0…a9, db b0…b9) count as digits too. In no text of any
# script do many of them follow each other, unless they are such digits.
_DIGITS = frozenset(b"0123456789") | {
    0xEF,
    0xBC,
    0xD9,
    0xDB,
    *range(0x90, 0x9A),
    *range(0xA0, 0xAA),
    *range(0xB0, 0xBA),
}
_OUTLINE = bytes(
    ord("0" if byte in _DIGITS else "A" if 65 <= byte <= 90 else "-" if byte in b" -" else "+" if byte == 43 else ".")
    for byte in range(256)
)
# Thirteen digits are five in one group, or at least four groups, of which the second has one to four.
_CARD_PARTS = (b"00000", b"0-0-0", b"0-00-0", b"0-000-0", b"0-0000-0")
_OUTLINES = {
    "card_number": (_CARD_PARTS, re.compile(rb"0(?:-?0){12}")),
    "iban": ((b"AA00",), re.compile(rb"AA00(?:-?[A0]){11}")),
    "phone_number": ((b"+0",), re.compile(rb"\+0(?:[-.]{0,2}0){7}")),
}


_PARTS = [(code, part, whole) for code, (parts, whole) in _OUTLINES.items() for part in parts]
_KEY_MARKS = tuple(mark.encode() for mark in KEY_MARKS)


def secrets_of(batch: Batch) -> Iterator[tuple[int, str, str]]:
    """The line, the code and the first characters of each secret in the texts of the examples."""
    suspected = suspects(batch)
    for row in sorted(suspected):
        codes = [code for code in KINDS if code in suspected[row]]
        for text in texts(batch.examples[row]):
            for code, shown in secrets(text, codes):
                yield batch.lines[row], code, shown


def suspects(batch: Batch) -> dict[int, set[str]]:
    """The codes of the secrets that each row may have, by its index; rows that have none for certain are left out."""
    found: defaultdict[int, set[str]] = defaultdict(set)
    block = batch.block
    for mark in _KEY_MARKS:
        for row in rows_with(mark, block, batch.starts, _may_begin_word):
            found[row].add("api_key")
    for row in rows_with(b"@", block, batch.starts):
        found[row].add("email")
    outline = translate(block, _OUTLINE)
    for code, part, whole in _PARTS:
        for row in rows_with(part, outline, batch.starts):
            if code not in found.get(row, ()) and whole.search(outline, *batch.starts[row : row + 2]):
                found[row].add(code)
    return found


def _may_begin_word(block: bytes, at: int) -> bool:
    """Whether what is at that place may follow something other than a letter or digit, such as an escaped line end.

    What begins with a hyphen, a private key, may follow anything.
    """
    return block[at - 1] not in _WORD or block[at] not in _WORD or b"\\" in block[at - _ESCAPE : at]
