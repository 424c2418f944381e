"""The values of a key that the rows of a file have beside what they teach, such as the document they are from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ftbridge.dataset.data_file import Data
from ftbridge.dataset.findings import Diagnostics
from ftbridge.dataset.reading.source import open_source
from ftbridge.dataset.reading.syntax import parse
from ftbridge.errors import DataError
from ftbridge.wording import did_you_mean, printable

_ABSENT = object()


def values_of(data: Data, key: str, lines: Sequence[int]) -> list[str]:
    """The value of `key` on each of the lines, as JSON; `a.b` is the key `b` of the object `a`, if no key is `a.b`.

    Raises `DataError` for a row without it.
    """
    wanted, values = set(lines), []
    with open_source(data) as source:
        for line, raw in source.rows:
            if line not in wanted:
                continue
            row = raw if isinstance(raw, dict) else parse(raw, Diagnostics())
            value = _value(row, key)
            if value is _ABSENT or value is None:
                names = [*row] if isinstance(row, dict) else []
                hint = did_you_mean(key, names) or f"Its keys are {printable(', '.join(names))}."
                raise DataError(f"{data}, line {line}: the row has no key '{printable(key)}'", hint=hint, line=line)
            values.append(msgspec.json.encode(value).decode())
    return values


def _value(row: Any, key: str) -> Any:
    if isinstance(row, dict) and key in row:
        return row[key]
    for name in key.split("."):
        if not isinstance(row, dict) or name not in row:
            return _ABSENT
        row = row[name]
    return row
