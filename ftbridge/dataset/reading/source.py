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
from ftbridge.dataset.formats.base import Format, Keys
from ftbridge.dataset.reading.compressed import GZIP, ZSTD, is_packed
from ftbridge.dataset.reading.lines import lines, opened
from ftbridge.dataset.reading.rows import Examples, Read, Row, reader
from ftbridge.dataset.reading.tables import csv_rows, parquet_rows
from ftbridge.dataset.reading.unrecognised import unrecognised
from ftbridge.errors import UsageError
from ftbridge.wording import printable

_LOOK_AHEAD = 100
_SEPARATORS = {".csv": ",", ".tsv": "\t"}
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Source(NamedTuple):
    """`read` turns the `rows` into examples, and says in its diagnostics why it cannot where it cannot.

    `canonical` tells whether a row's bytes are in the canonical format, so that they may be
    passed on, and `divisible` whether the file can be read from the middle. `why` says how
    the format was told, `begun` by which line (0: it was asked for).
    """

    name: str
    format: str
    why: str
    begun: int
    canonical: bool
    divisible: bool
    rows: Iterator[tuple[int, Row]]
    read: Read

    def examples(self, diagnostics: Diagnostics) -> Examples:
        """Every row that is an example, and the example; what is to be said of all rows goes into `diagnostics`."""
        return self.read(self.rows, diagnostics)


@contextmanager
def open_source(path: str | Path, format: str | None = None) -> Iterator[Source]:  # noqa: A002  # the word of the CLI
    """Open `path`, JSON Lines or a table, and find out its format, unless `format` names it.

    Raises `InputError` for what cannot be opened and `UsageError` for a format that there is not.
    """
    if format is not None and format not in FORMATS:
        raise UsageError(f"there is no format '{printable(format)}'", hint=f"Known ones: {', '.join(FORMATS)}.")
    name = printable(str(path), 200)
    suffix = Path(path).with_suffix("").suffix if Path(path).suffix in (".gz", ".zst") else Path(path).suffix
    plain = suffix not in (*_SEPARATORS, ".parquet")
    with opened(path) as file:
        rows: Iterator[tuple[int, Row]]
        if suffix in _SEPARATORS:
            rows = csv_rows(file, _SEPARATORS[suffix])
        elif suffix == ".parquet":
            rows = parquet_rows(Path(path))
        else:
            rows = lines(file)
        head = list(itertools.islice(rows, _LOOK_AHEAD))
        told = None if format else _detect(head)
        wrong = _not_lines(head) or (None if format or told else unrecognised(_objects(head), table=not plain))
        if wrong is not None:
            yield Source(name, "unknown", wrong[1], 1, False, False, iter(head[:1]), _refusal(*wrong))
            return
        found, begun, why = told or (FORMATS[format or CHAT.name], 0, "asked for" if format else _nothing(head))
        divisible = plain and str(path) != "-" and not is_packed(file) and Path(path).is_file()
        canonical = plain and found.translate is None
        rows = itertools.chain(head, rows)
        yield Source(name, found.name, why, begun, canonical, divisible, rows, reader(found, begun))


def _detect(head: list[tuple[int, Row]]) -> tuple[Format, int, str] | None:
    for number, row in _objects(head):
        found = recognise(row)
        if found is not None:
            keys = ", ".join(f"'{printable(key, 30)}'" for key in itertools.islice(row, 5))
            return found, number, f"line {number} has the keys {keys}"
    return None


def _objects(head: list[tuple[int, Row]]) -> Iterator[tuple[int, Keys]]:
    """Those of the rows that are JSON objects at least."""
    for number, raw in head:
        try:
            row = raw if isinstance(raw, dict) else msgspec.json.decode(raw or b"")
        except _UNREADABLE:
            continue
        if isinstance(row, dict):
            yield number, row


def _nothing(head: list[tuple[int, Row]]) -> str:
    """Why a file without any object is read as chats."""
    first = f"the first {_LOOK_AHEAD} lines" if len(head) == _LOOK_AHEAD else "its lines"
    return f"none of {first} is a JSON object" if head else "there is no line to tell by"


def _not_lines(head: list[tuple[int, Row]]) -> tuple[str, str, str] | None:
    """Code, sentence and fix where the file as a whole is something other than JSON Lines."""
    texts = [raw.strip() for _, raw in head if isinstance(raw, bytes) and raw.strip()]
    text = texts[0] if texts else b""
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "not_utf8", "the file is UTF-16, not UTF-8", "Convert it: iconv -f UTF-16 -t UTF-8."
    if text.startswith((GZIP, ZSTD)):
        return "packed", "what is read is packed with gzip or zstd", "Unpack it first: gzip -dc FILE, or zstd -dc FILE."
    if text.startswith(b"PAR1"):
        return "not_json", "the file is Parquet", "Let its name end in .parquet."
    if text == b"{":
        return "json_document", "the file is JSON laid out over many lines", "Put each row on one line: jq -c . FILE."
    if text.startswith(b"["):
        try:
            whole = msgspec.json.decode(text)
        except _UNREADABLE:
            whole = None
        rows = isinstance(whole, list) and bool(whole) and isinstance(whole[0], dict)
        if rows if len(texts) == 1 else whole is None:
            return "json_array", "the file is one JSON array, not one object per line", "Unpack it: jq -c '.[]' FILE."
    return None


def _refusal(code: str, message: str, fix: str) -> Read:
    def refuse(rows: Iterable[tuple[int, Row]], diagnostics: Diagnostics) -> Examples:
        for diagnostics.line, _ in rows:
            diagnostics.error("$", code, message, fix)
        yield from ()

    return refuse
