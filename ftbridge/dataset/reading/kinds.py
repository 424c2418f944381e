"""What a file is, by its first bytes; the suffix of its name decides only what they leave open."""

from __future__ import annotations

import json
import re
from enum import Enum
from itertools import chain

from ftbridge.dataset.reading.compressed import GZIP, ZSTD
from ftbridge.dataset.reading.lines import BOM, Unread
from ftbridge.dataset.reading.nesting import is_too_deep
from ftbridge.dataset.reading.syntax import UNREADABLE, decode_line
from ftbridge.dataset.reading.unrecognised import KEY_SETS

HEAD = 2**16
"""How many bytes the kind is detected by."""


class Kind(Enum):
    """How rows are written in a file."""

    LINES = "JSON Lines"
    DOCUMENT = "a JSON array, or JSON values of several lines"
    CSV = "comma-separated values"
    TSV = "tab-separated values"
    SEMICOLONS = "values separated by semicolons, as Excel writes them where a comma is in numbers"
    PARQUET = "Parquet"
    XLSX = "an Excel workbook"


SEPARATORS = {Kind.CSV: ",", Kind.TSV: "\t", Kind.SEMICOLONS: ";"}
TABLES = frozenset({*SEPARATORS, Kind.PARQUET, Kind.XLSX})
_SUFFIXES = {".csv": Kind.CSV, ".tsv": Kind.TSV, ".parquet": Kind.PARQUET, ".xlsx": Kind.XLSX}
_LINES_SUFFIXES = (".jsonl", ".ndjson", ".json")
_MAGIC = {b"PAR1": Kind.PARQUET, b"PK\x03\x04": Kind.XLSX}
_FOREIGN = {
    GZIP: ("compressed twice", "Decompress it first: gzip -dc FILE."),
    ZSTD: ("compressed twice", "Decompress it first: zstd -dc FILE."),
    b"\xd0\xcf\x11\xe0": ("an Excel workbook of the old kind", "Save it as .xlsx or as CSV."),
    b"ARROW1": ("an Arrow file", "Write it as Parquet or as JSON Lines."),
}
_BOMS = {b"\xff\xfe\0\0": "UTF-32", b"\0\0\xfe\xff": "UTF-32", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_ZEROS: dict[
    tuple[bool, ...], str
] = {  # of the first four bytes, where the first two characters are ASCII (RFC 4627, section 3)
    (False, True, True, True): "UTF-32LE",
    (True, True, True, False): "UTF-32BE",
    (False, True, False, True): "UTF-16LE",
    (True, False, True, False): "UTF-16BE",
}
_JSON_START = re.compile(rb'\{\s*(?:["}]|$)|\[\s*(?:[\[{"\]]|$)')
_COLUMNS = {name.encode() for name in chain.from_iterable(KEY_SETS)}
_QUOTED = re.compile(rb'"(?:[^"]|"")*+"')


def kind_of(head: bytes, suffix: str) -> Kind | Unread:
    """The kind of a file that begins with `head`; `Unread` for one of a kind that is not read."""
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    for magic, (what, fix) in _FOREIGN.items():
        if head.startswith(magic):
            return Unread("compressed" if magic in (GZIP, ZSTD) else "not_read", f"the file is {what}", fix)
    if encoding := _wide_encoding(head):
        message = f"the file is {encoding}, not UTF-8"
        return Unread("not_utf8", message, f"Convert it: iconv -f {encoding} -t UTF-8 FILE > NEW.")
    text = head.removeprefix(BOM).lstrip()
    if suffix in _SUFFIXES and not _JSON_START.match(text):
        return _by_header(text, _SUFFIXES[suffix])
    if text.startswith(b"["):
        return Kind.DOCUMENT if _is_array(text) else Kind.LINES
    if text.startswith(b"{"):
        return Kind.DOCUMENT if _is_laid_out(text) else Kind.LINES
    return Kind.LINES if suffix in _LINES_SUFFIXES else _table_or_lines(text)


def _wide_encoding(head: bytes) -> str | None:
    """The encoding of a text that has two or four bytes for each character."""
    named = next((name for bom, name in _BOMS.items() if head.startswith(bom)), None)
    return named or _ZEROS.get(tuple(byte == 0 for byte in head[:4]))


def _is_array(text: bytes) -> bool:
    """Whether the text that begins with a bracket is one array, and not a line for each of several lists."""
    first, _, rest = text.partition(b"\n")
    try:
        decode_line(first)
    except RecursionError:
        return not rest.strip()
    except UNREADABLE:
        return True
    return not rest.strip()


def _is_laid_out(text: bytes) -> bool:
    """Whether the text that begins with a brace is an object over several lines, and not the first of many lines."""
    first, *others = text.split(b"\n")
    if is_too_deep(first) or not _breaks_off(first.decode(errors="replace").rstrip()):
        return False
    return any(map(bytes.strip, others)) and not any(line.startswith(b"{") and line.rstrip() != b"{" for line in others)


def _breaks_off(line: str) -> bool:
    """Whether there is nothing wrong with the JSON of a line, but that it goes on; no text of it is open."""
    try:
        json.loads(line)
    except json.JSONDecodeError as problem:
        return problem.pos >= len(line)
    except (ValueError, RecursionError):
        return False
    return False


def _by_header(text: bytes, usual: Kind) -> Kind:
    """The kind of a table by the only separator that its header has outside of quotes; the usual one for others."""
    header = _QUOTED.sub(b"", text.partition(b"\n")[0])
    found = [kind for kind, separator in SEPARATORS.items() if separator.encode() in header]
    return found[0] if len(found) == 1 and usual in SEPARATORS else usual


def _table_or_lines(text: bytes) -> Kind:
    """A table if the first line can be its header, and none of those that follow is JSON."""
    first, *others = text.split(b"\n")
    names = {name.strip(b'" \r') for name in first.split(b";")}
    if b"\t" in first:
        kind = Kind.TSV
    elif b"," in first or names & _COLUMNS:
        kind = _by_header(text, Kind.CSV)
    else:
        return Kind.LINES
    return Kind.LINES if any(line.lstrip().startswith(b"{") for line in others) else kind
