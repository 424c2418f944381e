"""The values of a key that the rows of a file have beside what they teach, such as the document they are from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from ftbridge.dataset.canonical.example import Chat
from ftbridge.dataset.data_file import Data, DataFile
from ftbridge.dataset.findings import Diagnostics
from ftbridge.dataset.reading.source import open_source
from ftbridge.dataset.reading.syntax import parse
from ftbridge.errors import DataError
from ftbridge.home import temporary_folder, usable
from ftbridge.wording import did_you_mean, printable

_ABSENT = object()
_OF_A_CHAT = frozenset(Chat.__struct_fields__)


@contextmanager
def taken_out(
    data: Data,
    key: str | None,
    home: Path,
    format: str | None = None,  # noqa: A002 - the word users know
) -> Iterator[tuple[Data, dict[int, str]]]:
    """`data` without that key, and its values by line, as JSON; `a.b` is the key `b` of `a`, if no key is `a.b`.

    A key beside the messages is no part of a chat, and checking refuses it: the block reads a private copy without it.
    A file with lines that are no JSON is given as it is. Raises `DataError` for a row that lacks the key.
    """
    if key is None:
        yield data, {}
        return
    rows: dict[int, Any] = {}
    with open_source(data, format) as source:
        canonical = source.format == "chat"
        for line, raw in source.rows:
            if isinstance(raw, bytes) and raw.isspace():
                continue
            rows[line] = raw if isinstance(raw, dict) else parse(raw, Diagnostics())
    if None in rows.values():
        yield data, {}
        return
    values = {line: _value(data, line, row, key) for line, row in rows.items()}
    if not canonical:
        yield data, values
        return
    with temporary_folder(home) as folder:
        copy = folder / "rows.jsonl"
        with usable(home):
            copy.write_bytes(b"\n".join(_without(rows.get(line), key) for line in range(1, max(rows) + 1)) + b"\n")
        yield DataFile(str(copy), (), str(data)), values


def _value(data: Data, line: int, row: dict[str, Any], key: str) -> str:
    value: Any = row.get(key, _ABSENT)
    if value is _ABSENT:
        value = row
        for name in key.split("."):
            value = value.get(name, _ABSENT) if isinstance(value, dict) else _ABSENT
    if value is _ABSENT or value is None:
        hint = did_you_mean(key, [*row]) or f"Its keys are {printable(', '.join(row))}."
        raise DataError(f"{data}, line {line}: the row has no key '{printable(key)}'", hint=hint, line=line)
    return msgspec.json.encode(value).decode()


def _without(row: dict[str, Any] | None, key: str) -> bytes:
    """The row as a line; empty for a line that was blank."""
    if row is None:
        return b""
    top = key if key in row else key.partition(".")[0]
    return msgspec.json.encode({name: value for name, value in row.items() if name != top or name in _OF_A_CHAT})
