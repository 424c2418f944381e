"""A dataset, opened: which format it is in and why, and its rows with their line numbers."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from ftbridge.dataset.findings import Diagnostics
from ftbridge.dataset.formats import CHAT, FORMATS, recognise
from ftbridge.dataset.formats.base import Format, JsonObject
from ftbridge.dataset.reading.compressed import GZIP, ZSTD, is_compressed
from ftbridge.dataset.reading.csv_rows import csv_rows
from ftbridge.dataset.reading.lines import UTF_16, Unread, lines
from ftbridge.dataset.reading.opening import open_file
from ftbridge.dataset.reading.parquet_rows import parquet_rows
from ftbridge.dataset.reading.rows import Examples, Read, Row, reader
from ftbridge.dataset.reading.unrecognised import unrecognised
from ftbridge.errors import UsageError
from ftbridge.wording import did_you_mean, printable

_LOOK_AHEAD = 100
_LOOK_AHEAD_SIZE = 8 * 2**20  # bytes of these rows, or characters
_SEPARATORS = {".csv": ",", ".tsv": "\t"}
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Source(NamedTuple):
    """`read` turns the `rows` into examples; where it cannot, the reason is in its diagnostics.

    `canonical` tells whether a row's bytes are in the canonical format, so that they may be
    passed on, and `divisible` whether the file can be read from the middle. `why` tells how
    the format was detected, `detected_on` by which line (0: the user named it).
    """

    name: str
    format: str
    why: str
    detected_on: int
    canonical: bool
    divisible: bool
    rows: Iterator[tuple[int, Row]]
    read: Read

    def examples(self, diagnostics: Diagnostics) -> Examples:
        """Every valid row and its example; what is wrong with the other rows is added to `diagnostics`."""
        return self.read(self.rows, diagnostics)


@contextmanager
def open_source(path: str | Path, format: str | None = None) -> Iterator[Source]:  # noqa: A002  # the word of the CLI
    """Open `path`, JSON Lines or a table, and detect its format, unless `format` names it.

    Raises `InputError` for what cannot be opened and `UsageError` for an unknown format.
    """
    if format is not None and format not in FORMATS:
        hint = f"{did_you_mean(format, FORMATS)}Known formats: {', '.join(FORMATS)}."
        raise UsageError(f"there is no format '{printable(format)}'", hint=hint)
    name = printable(str(path), 200)
    suffix = Path(path).with_suffix("").suffix if Path(path).suffix in (".gz", ".zst") else Path(path).suffix
    is_lines = suffix not in (*_SEPARATORS, ".parquet")
    with open_file(path) as file:
        rows: Iterator[tuple[int, Row]]
        if suffix in _SEPARATORS:
            rows = csv_rows(file, _SEPARATORS[suffix])
        elif suffix == ".parquet":
            rows = parquet_rows(Path(path))
        else:
            rows = lines(file)
        head = _first(rows)
        detected = None if format else _detect(head)
        problem = _not_lines(head)
        if problem is None and not format and not detected:
            problem = unrecognised(_objects(head), table=not is_lines)
        if problem is not None:
            yield Source(name, "unknown", problem.message, 1, False, False, iter(head[:1]), _refusal(problem))
            return
        if detected is None:
            detected = FORMATS[format or CHAT.name], 0, "named by the user" if format else _no_object(head)
        found, detected_on, why = detected
        divisible = (
            is_lines and not found.select and str(path) != "-" and not is_compressed(file) and Path(path).is_file()
        )
        canonical = is_lines and found.canonical
        rows = itertools.chain(head, rows)
        yield Source(name, found.name, why, detected_on, canonical, divisible, rows, reader(found, detected_on))


def _first(rows: Iterator[tuple[int, Row]]) -> list[tuple[int, Row]]:
    """The rows by which the format is detected: some, and not many bytes."""
    head: list[tuple[int, Row]] = []
    size = 0
    for row in itertools.islice(rows, _LOOK_AHEAD):
        head.append(row)
        size += _size(row[1])
        if size > _LOOK_AHEAD_SIZE:
            break
    return head


def _size(row: Row) -> int:
    if isinstance(row, bytes):
        return len(row)
    return sum(len(cell) for cell in row.values() if isinstance(cell, str)) if isinstance(row, dict) else 0


def _detect(head: list[tuple[int, Row]]) -> tuple[Format, int, str] | None:
    for number, row in _objects(head):
        found = recognise(row)
        if found is not None:
            keys = ", ".join(f"'{printable(key, 30)}'" for key in itertools.islice(row, 5))
            return found, number, f"line {number} has the keys {keys}"
    return None


def _objects(head: list[tuple[int, Row]]) -> Iterator[tuple[int, JsonObject]]:
    """The rows that are JSON objects."""
    for number, raw in head:
        try:
            row = msgspec.json.decode(raw) if isinstance(raw, bytes) else raw
        except _UNREADABLE:
            continue
        if isinstance(row, dict):
            yield number, row


def _no_object(head: list[tuple[int, Row]]) -> str:
    """Why a file without any object is read as chats."""
    first = f"the first {_LOOK_AHEAD} lines" if len(head) == _LOOK_AHEAD else "its lines"
    return f"none of {first} is a JSON object" if head else "the file has no lines"


def _not_lines(head: list[tuple[int, Row]]) -> Unread | None:
    """Why nothing can be read where the file as a whole is something other than JSON Lines."""
    texts = [raw.strip() for _, raw in head if isinstance(raw, bytes) and raw.strip()]
    text = texts[0] if texts else b""
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        return UTF_16
    if text.startswith((GZIP, ZSTD)):
        fix = "Decompress it first: gzip -dc FILE, or zstd -dc FILE."
        return Unread("compressed", "the input is compressed with gzip or zstd", fix)
    if text.startswith(b"PAR1"):
        return Unread("not_json", "the file is Parquet", "Give it a name that ends in .parquet.")
    if text == b"{":
        fix = "Put each row on one line: jq -c . FILE."
        return Unread("json_document", "the file is JSON spread over many lines", fix)
    if text.startswith(b"["):
        try:
            whole = msgspec.json.decode(text)
        except _UNREADABLE:
            whole = None
        rows = isinstance(whole, list) and bool(whole) and isinstance(whole[0], dict)
        if rows if len(texts) == 1 else whole is None:
            fix = "Convert it: jq -c '.[]' FILE."
            return Unread("json_array", "the file is one JSON array, not one object per line", fix)
    return None


def _refusal(unread: Unread) -> Read:
    def refuse(rows: Iterable[tuple[int, Row]], diagnostics: Diagnostics) -> Examples:
        for diagnostics.line, _ in rows:
            diagnostics.error("$", unread.code, unread.message, unread.fix)
        yield from ()

    return refuse
