"""Reading rows: fast where they are right, thorough where they are not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from ftbridge.dataset.example import SHAPES, Example, Shape
from ftbridge.dataset.explain import explain
from ftbridge.dataset.findings import TOLD_ONCE, Finding, Notes
from ftbridge.dataset.formats import recognise
from ftbridge.dataset.formats.base import Format, Keys, Taking
from ftbridge.dataset.lines import Line
from ftbridge.dataset.printable import printable
from ftbridge.dataset.rules import CHECKS, ORDINARY
from ftbridge.dataset.syntax import parse

Row: TypeAlias = Line | Keys  # a line of JSON, or the columns of a table
Examples: TypeAlias = Iterator[tuple[Row, Example]]
Read: TypeAlias = Callable[[Iterable[tuple[int, Row]], Notes], Examples]

_INDEX = re.compile(r"\[\d+\]")
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, TypeError)


def reader(format: Format, begun: int) -> Read:  # noqa: A002  # the word of the CLI
    """A function that reads numbered rows of `format`, which the file has since line `begun` (0: it was asked for).

    It gives each row that is an example, with the example, and sets the notes' line before it looks at a row. What
    is wrong with the others is in the notes by the time that the next example, or the end, is reached.
    """
    return _translated(format, begun) if format.translate else _canonical(format, begun)


def _canonical(format: Format, begun: int) -> Read:  # noqa: A002  # the word of the CLI
    decode = msgspec.json.Decoder(SHAPES[format.shape]).decode
    ordinary, check = ORDINARY[format.shape], CHECKS[format.shape]

    def read(rows: Iterable[tuple[int, Row]], notes: Notes) -> Examples:
        example: Example | None
        for notes.line, raw in rows:
            try:
                example = decode(raw)  # type: ignore[arg-type]  # what is not bytes is dealt with below
            except _UNREADABLE as problem:
                example = _mended(raw, format, begun, problem, notes)
                if example is not None:
                    yield raw, example
                continue
            if not ordinary(example):
                before = notes.errors
                check(example, notes)
                if notes.errors > before:
                    continue
            yield raw, example

    return read


def _mended(raw: Row, format: Format, begun: int, problem: Exception, notes: Notes) -> Example | None:  # noqa: A002  # the word of the CLI
    """The example that the columns of a table hold; for a line that cannot be decoded, everything that is wrong."""
    row = _row(raw, format, begun, notes)
    if row is None:
        return None
    if isinstance(raw, dict):
        return _from_json(row, format.shape, notes)
    _explain(row, format.shape, problem, notes)
    return None


def _translated(format: Format, begun: int) -> Read:  # noqa: A002  # the word of the CLI
    translate = format.translate
    assert translate is not None
    left_out: set[str] = set()

    def read_one(raw: Row, notes: Notes) -> Example | None:
        row = _row(raw, format, begun, notes)
        if row is None:
            return None
        before = len(notes.findings), notes.errors
        translated = translate(Taking(row, notes))
        notes.findings[before[0] :] = once(notes.findings[before[0] :], left_out)
        if notes.errors > before[1]:
            return None
        own = Notes()
        own.line = notes.line
        example = _from_json(translated, format.shape, own)
        for finding in own.findings:
            notes.add(replace(finding, message=f"{finding.message} (once read as a {format.shape})"))
        return example

    def read(rows: Iterable[tuple[int, Row]], notes: Notes) -> Examples:
        for notes.line, raw in rows:
            example = read_one(raw, notes)
            if example is not None:
                yield raw, example

    return read


def once(findings: Iterable[Finding], said: set[str] | None = None) -> list[Finding]:
    """The same findings, but those about a key that is left out, or a whole shape, only once for the file."""
    said = set() if said is None else said
    kept = []
    for finding in findings:
        about = f"{finding.code} {finding.target} {_INDEX.sub('[]', finding.path)}"
        if finding.code not in TOLD_ONCE or about not in said:
            kept.append(finding)
        if finding.code in TOLD_ONCE:
            said.add(about)
    return kept


def _row(raw: Row, format: Format, begun: int, notes: Notes) -> Keys | None:  # noqa: A002  # the word of the CLI
    """The row as JSON, if it is in the format that the file has."""
    row = raw if isinstance(raw, dict) else parse(raw, notes)
    if row is None or format.fits(row):
        return row
    other = recognise(row)
    if other is None:
        return row
    since = f"since line {begun}" if begun else "as asked"
    said = f"this row is in the format '{other.name}', but the file is read as '{format.name}' {since}"
    notes.error("$", "mixed_shapes", said, "Keep each format in a file of its own.")
    return None


def _from_json(row: Keys, shape: Shape, notes: Notes) -> Example | None:
    """A canonical row from plain JSON, with everything that is wrong with it in the notes."""
    before = notes.errors
    try:
        example: Example = msgspec.convert(row, SHAPES[shape])
    except _UNREADABLE as problem:
        _explain(row, shape, problem, notes)
        return None
    CHECKS[shape](example, notes)
    return example if notes.errors == before else None


def _explain(row: Keys, shape: Shape, problem: Exception, notes: Notes) -> None:
    before = notes.errors
    explain(row, SHAPES[shape], notes)
    if notes.errors == before:
        sentence = f"the row cannot be read: {printable(str(problem), 200)}"
        notes.error("$", "unreadable", sentence, "Write the row with a JSON library.")
