"""Reading rows: fast where they are right, thorough where they are not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from ftbridge.dataset.canonical.example import SHAPES, Example, Shape
from ftbridge.dataset.canonical.explain import explain
from ftbridge.dataset.canonical.rules import CHECKS, ORDINARY
from ftbridge.dataset.findings import TOLD_ONCE, Diagnostics, Finding
from ftbridge.dataset.formats import recognise
from ftbridge.dataset.formats.base import FieldReader, Format, Keys
from ftbridge.dataset.reading.lines import Line
from ftbridge.dataset.reading.syntax import parse
from ftbridge.wording import printable

Row: TypeAlias = Line | Keys  # a line of JSON, or the columns of a table
Examples: TypeAlias = Iterator[tuple[Row, Example]]
Read: TypeAlias = Callable[[Iterable[tuple[int, Row]], Diagnostics], Examples]

_INDEX = re.compile(r"\[\d+\]")
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, TypeError)


def reader(format: Format, begun: int) -> Read:  # noqa: A002  # the word of the CLI
    """A function that reads numbered rows of `format`, which the file has since line `begun` (0: it was asked for).

    It yields each row that is an example, with the example, and sets `diagnostics.line` before it reads a row. What is
    wrong with the other rows is in `diagnostics` by the time the next example, or the end, is reached.
    """
    return _translated(format, begun) if format.translate else _canonical(format, begun)


def _canonical(format: Format, begun: int) -> Read:  # noqa: A002  # the word of the CLI
    decode = msgspec.json.Decoder(SHAPES[format.shape]).decode
    ordinary, check = ORDINARY[format.shape], CHECKS[format.shape]

    def read(rows: Iterable[tuple[int, Row]], diagnostics: Diagnostics) -> Examples:
        example: Example | None
        for diagnostics.line, raw in rows:
            try:
                example = decode(raw)  # type: ignore[arg-type]  # what is not bytes is dealt with below
            except _UNREADABLE as problem:
                example = _mended(raw, format, begun, problem, diagnostics)
                if example is not None:
                    yield raw, example
                continue
            if not ordinary(example):
                before = diagnostics.errors
                check(example, diagnostics)
                if diagnostics.errors > before:
                    continue
            yield raw, example

    return read


def _mended(raw: Row, format: Format, begun: int, problem: Exception, diagnostics: Diagnostics) -> Example | None:  # noqa: A002  # the word of the CLI
    """The example that the columns of a table hold; for a line that cannot be decoded, everything that is wrong."""
    row = _row(raw, format, begun, diagnostics)
    if row is None:
        return None
    if isinstance(raw, dict):
        return _from_json(row, format.shape, diagnostics)
    _explain(row, format.shape, problem, diagnostics)
    return None


def _translated(format: Format, begun: int) -> Read:  # noqa: A002  # the word of the CLI
    translate = format.translate
    assert translate is not None
    left_out: set[str] = set()

    def read_one(raw: Row, diagnostics: Diagnostics) -> Example | None:
        row = _row(raw, format, begun, diagnostics)
        if row is None:
            return None
        before = len(diagnostics.findings), diagnostics.errors
        translated = translate(FieldReader(row, diagnostics))
        diagnostics.findings[before[0] :] = once(diagnostics.findings[before[0] :], left_out)
        if diagnostics.errors > before[1]:
            return None
        own = Diagnostics()
        own.line = diagnostics.line
        example = _from_json(translated, format.shape, own)
        for finding in own.findings:
            diagnostics.add(replace(finding, message=f"{finding.message} (once read as a {format.shape})"))
        return example

    def read(rows: Iterable[tuple[int, Row]], diagnostics: Diagnostics) -> Examples:
        for diagnostics.line, raw in rows:
            example = read_one(raw, diagnostics)
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


def _row(raw: Row, format: Format, begun: int, diagnostics: Diagnostics) -> Keys | None:  # noqa: A002  # the word of the CLI
    """The row as JSON, if it is in the format that the file has."""
    row = raw if isinstance(raw, dict) else parse(raw, diagnostics)
    if row is None or format.fits(row):
        return row
    other = recognise(row)
    if other is None:
        return row
    since = f"since line {begun}" if begun else "as asked"
    said = f"this row is in the format '{other.name}', but the file is read as '{format.name}' {since}"
    diagnostics.error("$", "mixed_shapes", said, "Keep each format in a file of its own.")
    return None


def _from_json(row: Keys, shape: Shape, diagnostics: Diagnostics) -> Example | None:
    """A canonical row from plain JSON, with everything that is wrong with it in the diagnostics."""
    before = diagnostics.errors
    try:
        example: Example = msgspec.convert(row, SHAPES[shape])
    except _UNREADABLE as problem:
        _explain(row, shape, problem, diagnostics)
        return None
    CHECKS[shape](example, diagnostics)
    return example if diagnostics.errors == before else None


def _explain(row: Keys, shape: Shape, problem: Exception, diagnostics: Diagnostics) -> None:
    before = diagnostics.errors
    explain(row, SHAPES[shape], diagnostics)
    if diagnostics.errors == before:
        sentence = f"the row cannot be read: {printable(str(problem), 200)}"
        diagnostics.error("$", "unreadable", sentence, "Write the row with a JSON library.")
