"""The one finding about a file whose rows are in no known format, with a guess at the reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import chain

from ftbridge.dataset.canonical.without_meaning import BEYOND
from ftbridge.dataset.formats.base import JsonObject
from ftbridge.dataset.reading.lines import Unread
from ftbridge.wording import printable

KEY_SETS: tuple[tuple[str, ...], ...] = (
    ("messages",),
    ("prompt", "completion"),
    ("input", "output"),
    ("instruction", "output"),
    ("instruction", "response"),
    ("conversations",),
    ("prompt", "chosen", "rejected"),
    ("input", "preferred_output", "non_preferred_output"),
    ("contents",),
    ("text",),
)
"""The keys that identify the rows of the formats that people write."""

_ALSO_READ = {"context", "history", "images", "label", "question", "system", "tools"}
"""Keys that formats have beside those, so that they are not misspelled."""

_SHOWN = 8
_COMPARED, _LONGEST = 100, 60  # keys, and characters of each, that are compared with the known ones
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def unrecognised(rows: Iterable[tuple[int, JsonObject]], *, table: bool) -> Unread | None:
    """Why the first `rows` of a file, which no format fits, cannot be read; None where they have no keys."""
    count = 0
    found: dict[str, None] = {}
    for _, row in rows:
        count += 1
        found |= dict.fromkeys(row)
    keys = [key for key in found if not (table and key == BEYOND)]
    if not keys:
        return None
    what = "column" if table else "key"
    subject = f"the first {count} rows are" if count > 1 else "the first row is"
    named = ", ".join(f"'{printable(key, 30)}'" for key in keys[:_SHOWN])
    more = f" and {len(keys) - _SHOWN:,} more" if len(keys) > _SHOWN else ""
    are = "are" if len(keys) > 1 else "is"
    message = f"{subject} in no known format: the {what}{'s' * (len(keys) > 1)} {are} {named}{more}"
    *first, last = (" and ".join(map(repr, names)) for names in KEY_SETS)
    known = f"Known formats have the {what}s {'; '.join(first)}; or {last}."
    fix = f"{_guess(keys, table=table)}{known} Rename yours to match one."
    return Unread("unknown_format", message, fix)


def _guess(keys: Sequence[str], *, table: bool) -> str:
    """The likely mistake, as a question."""
    separator = next((sign for sign in _SEPARATORS if sign in keys[0]), None)
    if table and len(keys) == 1 and separator:
        return f"Is the table separated by {_SEPARATORS[separator]}? Save it with commas. "
    known = list(dict.fromkeys(chain.from_iterable(KEY_SETS)))
    looked_at = [key for key in keys if key not in known and key not in _ALSO_READ][:_COMPARED]
    near = [
        close[0]
        for key in looked_at
        if (close := get_close_matches(key[:_LONGEST].strip().casefold(), known, n=1, cutoff=0.8))
    ]
    return f"Did you mean {' and '.join(map(repr, dict.fromkeys(near)))}? " if near else ""
