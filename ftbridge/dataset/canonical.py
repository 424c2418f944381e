"""Reading the three canonical shapes: fast where a row is right, thorough where it is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from ftbridge.dataset.example import SHAPES, Example, Shape
from ftbridge.dataset.explain import explain
from ftbridge.dataset.findings import Notes
from ftbridge.dataset.lines import Line
from ftbridge.dataset.printable import printable
from ftbridge.dataset.rules import CHECKS
from ftbridge.dataset.syntax import parse, surrogate

Read = Callable[[Line, Notes], Example | None]


def shape_of(row: dict[str, Any]) -> Shape | None:
    """The canonical shape that a row's keys announce."""
    if "messages" in row:
        return "chat"
    if "preferred_output" in row or "non_preferred_output" in row:
        return "preference"
    return "text" if "text" in row else None


def reader(shape: Shape, begun: int) -> Read:
    """A function that reads one line as `shape`, the shape of the file since line `begun` (0: it was asked for).

    It returns the example, or None with the reasons in its notes: warnings alone still give an example.
    """
    decode = msgspec.json.Decoder(SHAPES[shape]).decode
    check = CHECKS[shape]

    def read(raw: Line, notes: Notes) -> Example | None:
        before = notes.errors
        try:
            example: Example = decode(raw)  # type: ignore[arg-type]  # a line too long is None, and explained below
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, TypeError) as problem:
            _explain(raw, shape, begun, problem, notes)
            return None
        check(example, notes)
        return example if notes.errors == before else None

    return read


def _explain(raw: Line, shape: Shape, begun: int, problem: Exception, notes: Notes) -> None:
    count = len(notes.findings)
    value = parse(raw, notes)
    if value is None:
        return
    other = shape_of(value)
    if other is not None and other != shape:
        since = f"since line {begun}" if begun else "as asked"
        said = f"line {notes.line} is a {other}, but the file is read as {shape} {since}"
        notes.error("$", "mixed_shapes", said, "Keep each shape in a file of its own.")
        return
    explain(value, SHAPES[shape], notes)
    if len(notes.findings) > count:
        return
    where = surrogate(value)
    if where is not None:
        notes.error(where, "surrogate", "the text holds half a surrogate pair", "Remove it: the character is damaged.")
    else:
        notes.error("$", "unreadable", f"the row cannot be read: {printable(str(problem), 200)}", "Rewrite the row.")
