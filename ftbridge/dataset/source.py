"""A dataset, opened: which format it is in and why, and its rows with their line numbers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from ftbridge.dataset.canonical import Read, reader, shape_of
from ftbridge.dataset.example import SHAPES, Shape
from ftbridge.dataset.findings import Notes
from ftbridge.dataset.lines import Line, lines, opened
from ftbridge.dataset.printable import printable
from ftbridge.errors import UsageError

_LOOK_AHEAD = 100


class Source(NamedTuple):
    """`read` turns one row into an example, or says in its notes why it cannot."""

    name: str
    format: str
    why: str
    canonical: bool
    rows: Iterator[tuple[int, Line]]
    read: Read


@contextmanager
def open_source(path: str | Path, format: str | None = None) -> Iterator[Source]:  # noqa: A002  # the word of the CLI
    """Open `path` and find out its format, unless `format` names it.

    Raises `InputError` for what cannot be opened and `UsageError` for a format that there is not.
    """
    if format is not None and format not in SHAPES:
        raise UsageError(f"there is no format '{printable(format)}'", hint=f"Known ones: {', '.join(SHAPES)}.")
    name = printable(str(path), 200)
    with opened(path) as file:
        rows = lines(file)
        head = list(itertools.islice(rows, _LOOK_AHEAD))
        wrong = _not_lines(head)
        if wrong is not None:
            yield Source(name, "unknown", wrong[1], False, iter(head[:1]), _refusal(*wrong))
            return
        shape, begun = (format, 0) if format else _detect(head)
        if format:
            why = "asked for"
        elif begun:
            why = f"line {begun} has the keys of a {shape}"
        else:
            why = f"no line among the first {len(head)} has the keys of a known format"
        yield Source(name, shape, why, True, itertools.chain(head, rows), reader(shape, begun))


def _detect(head: list[tuple[int, Line]]) -> tuple[Shape, int]:
    for number, raw in head:
        try:
            row = msgspec.json.decode(raw or b"")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        shape = shape_of(row) if isinstance(row, dict) else None
        if shape is not None:
            return shape, number
    return "chat", 0


def _not_lines(head: list[tuple[int, Line]]) -> tuple[str, str, str] | None:
    """Code, sentence and fix where the file as a whole is something other than JSON Lines."""
    text = next((raw.strip() for _, raw in head if raw is not None and raw.strip()), b"")
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "not_utf8", "the file is UTF-16, not UTF-8", "Convert it: iconv -f UTF-16 -t UTF-8."
    if text == b"{":
        return "json_document", "the file is JSON laid out over many lines", "Put each row on one line: jq -c . FILE."
    if text.startswith(b"["):
        try:
            whole = msgspec.json.decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            whole = None
        alone = sum(raw is None or bool(raw.strip()) for _, raw in head) == 1
        rows = isinstance(whole, list) and bool(whole) and isinstance(whole[0], dict)
        if (rows and alone) or (whole is None and not alone):
            return "json_array", "the file is one JSON array, not one object per line", "Unpack it: jq -c '.[]' FILE."
    return None


def _refusal(code: str, message: str, fix: str) -> Read:
    def refuse(raw: Line, notes: Notes) -> None:
        notes.error("$", code, message, fix)

    return refuse
