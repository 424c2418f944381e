"""The one finding about a file whose rows are in no known format, with a guess at the reason."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import chain

from ftbridge.dataset.canonical.without_meaning import without_meaning
from ftbridge.dataset.formats.base import JsonObject
from ftbridge.dataset.reading.lines import Unread
from ftbridge.dataset.reading.tables.cells import BEYOND
from ftbridge.wording import printable

KEY_SETS: tuple[tuple[str, ...], ...] = (
    ("messages",),
    ("prompt", "completion"),
    ("input", "output"),
    ("instruction", "output"),
    ("instruction", "response"),
    ("query", "response"),
    ("conversations",),
    ("prompt", "chosen", "rejected"),
    ("input", "preferred_output", "non_preferred_output"),
    ("contents",),
    ("text",),
)
"""The keys that identify the rows of the formats that people write."""

_ALSO_READ = {"context", "history", "images", "label", "question", "system", "tools"}
"""Keys that formats have beside those, so that they are not misspelled."""

_QUESTIONS = ("prompt", "question", "query", "instruction", "problem", "user", "input", "request")
_ANSWERS = ("completion", "answer", "response", "output", "solution", "assistant", "reply", "target", "ans", "label")
"""Words for what is asked and what is answered, those that say it most clearly first."""

_OTHER_USES = (
    (
        {"prompt", "completions", "labels"},
        "the rows judge the steps of an answer (TRL's stepwise supervision), which trains a model to judge and not to "
        "answer: no target trains that",
    ),
    ({"query", "answers", "tools"}, "the rows are xLAM's, whose tools have parameters that are no JSON Schema"),
    ({"custom_id", "body"}, "the rows are requests of OpenAI's batch API, which have no answers"),
    ({"anchor", "positive"}, "the rows are of texts that are alike, which train an embedding: no target trains that"),
    ({"better_response_id", "response_0", "response_1"}, "the better one of two answers is told by its number"),
)
_SHOWN = 8
_COMPARED, _LONGEST = 100, 60  # keys, and characters of each, that are compared with the known ones


def unrecognised(rows: Iterable[tuple[int, JsonObject]], columns: Mapping[str, str], *, table: bool) -> Unread | None:
    """Why the first `rows` of a file, which no format fits, cannot be read; None where they have no keys.

    `columns` are the file's own names of those that were renamed, {the file's: that in the rows}.
    """
    count = 0
    found: dict[str, None] = {}
    for _, row in rows:
        count += 1
        found |= dict.fromkeys(row)
    keys = [key for key in found if not (table and key == BEYOND)]
    if not keys:
        return None
    if other := next((message for marks, message in _OTHER_USES if marks <= found.keys()), None):
        return Unread("unknown_format", other, 'Write them as chats, {"messages": […]}, or as preferences.')
    what = "column" if table else "key"
    subject = f"the first {count} rows are" if count > 1 else "the first row is"
    named = ", ".join(f"'{printable(key, 30)}'" for key in keys[:_SHOWN])
    more = f" and {len(keys) - _SHOWN:,} more" if len(keys) > _SHOWN else ""
    are = "are" if len(keys) > 1 else "is"
    message = f"{subject} in no known format: the {what}{'s' * (len(keys) > 1)} {are} {named}{more}"
    *first, last = (" and ".join(map(repr, names)) for names in KEY_SETS)
    known = f"Known formats have the {what}s {'; '.join(first)}; or {last}."
    return Unread("unknown_format", message, f"{_guess(keys, table=table)}{known} {_renaming(keys, columns)}")


def _guess(keys: Sequence[str], *, table: bool) -> str:
    """The likely mistake, as a question."""
    if table and len(keys) == 1 and "|" in keys[0]:
        return "Is the table separated by bars? Save it with commas. "
    near = dict.fromkeys(_near(keys).values())
    return f"Did you mean {' and '.join(map(repr, near))}? " if near else ""


def _near(keys: Sequence[str]) -> dict[str, str]:
    """The keys that seem misspelled, each with the known one."""
    known = list(dict.fromkeys(chain.from_iterable(KEY_SETS)))
    looked_at = [key for key in keys if key not in known and key not in _ALSO_READ][:_COMPARED]
    return {
        key: close[0]
        for key in looked_at
        if (close := get_close_matches(key[:_LONGEST].strip().casefold(), known, n=1, cutoff=0.8))
    }


def _renaming(keys: Sequence[str], columns: Mapping[str, str]) -> str:
    """How to read them under names of a format: by their spelling or their words, else as an example.

    The options are all that are needed, those that were given included.
    """
    question, answer = _first_of(_QUESTIONS, keys), _first_of(_ANSWERS, keys)
    near, example = _near(keys), ""
    meaningless = without_meaning(dict.fromkeys(keys))
    told = [key for key in keys if key not in meaningless and "id" not in _words(key)] or list(keys)
    if question is not None and answer is not None and question != answer:
        names = {question: "prompt", answer: "completion"}
    elif near and len(set(near.values())) == len(near):
        names = near
    else:
        wanted = ("prompt", "completion") if len(told) > 1 else ("text",)
        free = [name for name in wanted if name not in told]
        names = dict(zip((key for key in told if key not in wanted), free, strict=False))
        example = ", for example"
    own = {new: old for old, new in columns.items()}
    all_names = {**columns, **{own.get(key, key): name for key, name in names.items()}}
    given = ((f"{key}={name}", len(key) <= _LONGEST) for key, name in all_names.items() if key != name)
    options = " ".join(f"--map {shlex.quote(printable(option, 2 * _LONGEST))}" for option, fits in given if fits)
    return f"Give yours such names{example}: {options or '--map FROM=TO'}."


def _first_of(words: Sequence[str], keys: Sequence[str]) -> str | None:
    looked_at = [(key, key.strip().casefold(), _words(key)) for key in keys[:_COMPARED]]
    whole = (key for word in words for key, name, _ in looked_at if name == word)
    part = (key for word in words for key, _, among in looked_at if word in among and "id" not in among)
    return next(chain(whole, part), None)


def _words(key: str) -> set[str]:
    """Those that a name is made of, as in agent_reply, agentReply and "Agent reply"."""
    return {word.casefold() for word in re.findall(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+", key[:_LONGEST])}
