"""Reading rows: fast where they are valid, thorough where they are not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

import msgspec

from ftbridge.dataset.canonical.diagnose import diagnose
from ftbridge.dataset.canonical.example import SHAPES, Chat, Example, Shape
from ftbridge.dataset.canonical.key_order import keep_key_order
from ftbridge.dataset.canonical.rules import CHECKS, ORDINARY, ordinary_chat
from ftbridge.dataset.canonical.spelling import respelled
from ftbridge.dataset.findings import Diagnostics
from ftbridge.dataset.formats import recognise
from ftbridge.dataset.formats.base import FieldReader, Format, JsonObject
from ftbridge.dataset.formats.chat import read_variant
from ftbridge.dataset.reading.lines import Line
from ftbridge.dataset.reading.nesting import is_too_deep
from ftbridge.dataset.reading.syntax import UNREADABLE, parse
from ftbridge.dataset.unforeseen import report_unforeseen
from ftbridge.wording import printable

Row: TypeAlias = Line | JsonObject  # a line of JSON, or the columns of a table
Examples: TypeAlias = Iterator[tuple[Row, Example]]
Read: TypeAlias = Callable[[Iterable[tuple[int, Row]], Diagnostics], Examples]
Ordinary: TypeAlias = Callable[[list[Row]], "list[Example | None]"]


class Reader(NamedTuple):
    """How the rows of a file are read.

    `read` yields each valid row with its example, and sets `diagnostics.line` before it reads a row. What is
    wrong with the other rows is in `diagnostics` by the time the next example, or the end, is reached. `ordinary` is
    a faster way where most rows are canonical chats: the examples of those that need no closer look, None for the
    others. `canonical` tells whether a row's bytes are in the canonical format, so that they may be passed on.
    """

    read: Read
    ordinary: Ordinary | None = None
    canonical: bool = False


_encode = msgspec.json.Encoder().encode
_in_order = msgspec.json.Encoder(order="sorted").encode  # unlike Python's ==, it tells 1.0 from 1
_decode_chat = msgspec.json.Decoder(Chat).decode
_UNREADABLE = (*UNREADABLE, TypeError)


def reader(format: Format, detected_on: int, *, canonical: bool) -> Reader:  # noqa: A002  # the word of the CLI
    """What reads numbered rows of `format`, detected on that line (0: the user named the format)."""
    if not format.canonical:
        return Reader(_translating_read(format, detected_on))
    together = _ordinary if format.shape == "chat" else None
    return Reader(_canonical_read(format, detected_on), together, canonical)


def _ordinary(raws: list[Row]) -> list[Example | None]:
    chats: list[Chat | None]
    try:
        chats = list(map(_decode_chat, raws))  # type: ignore[arg-type]  # what is not bytes is dealt with below
    except Exception:
        chats = list(map(_decoded, raws))
    return [chat if chat is not None and ordinary_chat(chat) else None for chat in chats]


def _decoded(raw: Row) -> Chat | None:
    try:
        return _decode_chat(raw)  # type: ignore[arg-type]  # likewise
    except Exception:
        return None


def _canonical_read(format: Format, detected_on: int) -> Read:  # noqa: A002  # the word of the CLI
    decode = msgspec.json.Decoder(SHAPES[format.shape]).decode
    ordinary, check = ORDINARY[format.shape], CHECKS[format.shape]

    def read(rows: Iterable[tuple[int, Row]], diagnostics: Diagnostics) -> Examples:
        for diagnostics.line, raw in rows:
            try:
                example: Example = decode(raw)  # type: ignore[arg-type]  # what is not bytes is dealt with below
                if not ordinary(example):
                    if is_too_deep(raw):  # type: ignore[arg-type]  # what is not bytes is not decoded
                        raise RecursionError
                    before = diagnostics.errors
                    check(example, diagnostics)
                    if diagnostics.errors > before:
                        continue
                    keep_key_order(example, raw)  # type: ignore[arg-type]  # what is not bytes is not decoded
            except Exception as problem:
                read_again = _read_undecodable(raw, format, detected_on, problem, diagnostics)
                if read_again is None:
                    continue
                raw, example = read_again  # the row as it is passed on
            yield raw, example

    return read


def _read_undecodable(
    raw: Row,
    format: Format,  # noqa: A002  # the word of the CLI
    detected_on: int,
    problem: Exception,
    diagnostics: Diagnostics,
) -> tuple[Row, Example] | None:
    """The example in the columns of a table, or in a row with known differences from the canonical form.

    Such a row is given as its canonical bytes. For other lines, everything that is wrong with them is reported.
    """
    try:
        if not isinstance(problem, _UNREADABLE):
            raise problem
        row = _json_row(raw, format, detected_on, diagnostics)
        if row is None:
            return None
        before, row = diagnostics.errors, respelled(row, set())
        read = read_variant(FieldReader(row, diagnostics), format.shape)
        if diagnostics.errors > before:
            return None
        diagnostics.remark = _after(format) if _messages(read) != _messages(row) else ""
        example = from_json(read, format.shape, diagnostics)
        if example is not None:
            return (raw if _in_order(read) == _in_order(row) else _encode(example)), example
    except Exception as unforeseen:
        report_unforeseen(unforeseen, diagnostics)
    finally:
        diagnostics.remark = ""
    return None


def _messages(row: JsonObject) -> int:
    """How many there are; where that is not as in the file, the numbers in paths are not those of the file."""
    messages = row.get("messages")
    return len(messages) if isinstance(messages, list) else 0


def _after(format: Format) -> str:  # noqa: A002  # the word of the CLI
    return f" (after translation to a {format.shape})"


def _translating_read(format: Format, detected_on: int) -> Read:  # noqa: A002  # the word of the CLI
    selection = format.select() if format.select else None
    translate = selection.translate if selection else format.translate
    assert translate is not None
    remark = _after(format)

    def read_one(raw: Row, diagnostics: Diagnostics) -> Example | None:
        row = _json_row(raw, format, detected_on, diagnostics)
        if row is None:
            return None
        before = diagnostics.errors
        translated = translate(FieldReader(row, diagnostics))
        if translated is None or diagnostics.errors > before:
            return None
        diagnostics.remark = remark
        try:
            return from_json(translated, format.shape, diagnostics)
        finally:
            diagnostics.remark = ""

    def read(rows: Iterable[tuple[int, Row]], diagnostics: Diagnostics) -> Examples:
        for diagnostics.line, raw in rows:
            try:
                example = read_one(raw, diagnostics)
            except Exception as unforeseen:
                report_unforeseen(unforeseen, diagnostics)
                continue
            if example is not None:
                yield raw, example
        if selection:
            selection.end(diagnostics)

    return read


def _json_row(raw: Row, format: Format, detected_on: int, diagnostics: Diagnostics) -> JsonObject | None:  # noqa: A002  # the word of the CLI
    """The row as JSON, if it is in the format that the file has."""
    row = raw if isinstance(raw, dict) else parse(raw, diagnostics)
    if row is None or format.fits(row):
        return row
    other = recognise(row)
    if other is None:
        return row
    reason = f"since line {detected_on}" if detected_on else "as requested"
    message = f"this row is in the format '{other.name}', but the file is read as '{format.name}' {reason}"
    diagnostics.error("$", "mixed_shapes", message, "Keep each format in a file of its own.")
    return None


def from_json(
    row: JsonObject, shape: Shape, diagnostics: Diagnostics, check: Callable[[Any, Diagnostics], None] | None = None
) -> Example | None:
    """A canonical row from plain JSON, with everything that is wrong with it in the diagnostics.

    Its meaning is checked by the rules of its shape, or by `check` in their place.
    """
    before = diagnostics.errors
    try:
        example = _converted(row, shape)
    except _UNREADABLE as problem:
        _diagnose(respelled(row, set()), shape, problem, diagnostics)
        return None
    (check or CHECKS[shape])(example, diagnostics)
    if diagnostics.errors > before:
        return None
    keep_key_order(example, row)
    return example


def _converted(row: JsonObject, shape: Shape) -> Example:
    example: Example
    try:
        example = msgspec.convert(row, SHAPES[shape])
    except _UNREADABLE:
        example = msgspec.convert(respelled(row, set()), SHAPES[shape])
    return example


def _diagnose(row: JsonObject, shape: Shape, problem: Exception, diagnostics: Diagnostics) -> None:
    before = diagnostics.errors
    diagnose(row, SHAPES[shape], diagnostics)
    if diagnostics.errors == before:
        message = f"the row cannot be read: {printable(str(problem), 200)}"
        diagnostics.error("$", "unreadable", message, "Write the row with a JSON library.")
