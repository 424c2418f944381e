"""What to say of a file none of whose rows is in a format that is known: once, and with a guess at the reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import chain

from ftbridge.dataset.formats.base import Keys
from ftbridge.dataset.reading.tables import BEYOND
from ftbridge.wording import printable

WANTED: tuple[tuple[str, ...], ...] = (
    ("messages",),
    ("prompt", "completion"),
    ("instruction", "output"),
    ("conversations",),
    ("prompt", "chosen", "rejected"),
    ("input", "preferred_output", "non_preferred_output"),
    ("contents",),
    ("text",),
)
"""The keys by which the rows of the formats that people write are known."""

_SHOWN = 8
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def unrecognised(rows: Iterable[tuple[int, Keys]], *, table: bool) -> tuple[str, str, str] | None:
    """Code, sentence and fix for the first `rows` of a file, which no format fits; None where there are none."""
    some = [row for _, row in rows]
    keys = [key for key in dict.fromkeys(chain.from_iterable(some)) if not (table and key == BEYOND)]
    if not keys:
        return None
    what = "column" if table else "key"
    who = f"the first {len(some)} rows are" if len(some) > 1 else "the first row is"
    named = ", ".join(f"'{printable(key, 30)}'" for key in keys[:_SHOWN])
    more = f" and {len(keys) - _SHOWN:,} more" if len(keys) > _SHOWN else ""
    are = "are" if len(keys) > 1 else "is"
    said = f"{who} in no format that is known: the {what}{'s' * (len(keys) > 1)} {are} {named}{more}"
    *first, last = (" and ".join(map(repr, wanted)) for wanted in WANTED)
    fix = f"{_guess(keys, table=table)}A format has the {what}s {'; '.join(first)}; or {last}. Rename them to fit one."
    return "unknown_format", said, fix


def _guess(keys: Sequence[str], *, table: bool) -> str:
    """What may have gone wrong, as a question."""
    separator = next((sign for sign in _SEPARATORS if sign in keys[0]), None)
    if table and len(keys) == 1 and separator:
        return f"Is the table separated by {_SEPARATORS[separator]}? Save it with commas. "
    wanted = list(dict.fromkeys(chain.from_iterable(WANTED)))
    near = [close[0] for key in keys if (close := get_close_matches(key.strip().casefold(), wanted, n=1, cutoff=0.8))]
    return f"Did you mean {' and '.join(map(repr, dict.fromkeys(near)))}? " if near else ""
