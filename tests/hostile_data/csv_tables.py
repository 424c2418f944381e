"""Hostile CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

HEADER = b"prompt,completion\n"


def of(make: Callable[[], Iterable[bytes]]) -> Callable[[Path], Path]:
    """A table of the parts that `make` returns."""

    def write(folder: Path) -> Path:
        path = folder / "data.csv"
        with path.open("wb") as file:
            file.writelines(make())
        return path

    return write


CASES: dict[str, Callable[[Path], Path | str]] = {
    "a quote that is never closed": of(
        lambda: (
            HEADER,
            b'a,"b\n',
            b"c,d\n" * 100_000,
        )
    ),
    "a quote that is never closed, in 17 MB": of(
        lambda: (
            HEADER,
            b'a,"b\n',
            (b"c" * 400 + b",d\n") * 42_000,
        )
    ),
    "a quote in the header that is never closed": of(
        lambda: (
            b'prompt,"completion\n',
            b"a,b\n" * 100_000,
        )
    ),
    "a quote in a header of 17 MB": of(
        lambda: (
            b'prompt,"completion\n',
            b"a,b\n" * 4_200_000,
        )
    ),
    "a cell of 15 MB with an emoji": of(
        lambda: (
            HEADER,
            b"a," + b"x" * 15_000_000 + "\U0001f600\n".encode(),
        )
    ),
    "a cell of 15 MB in quotes": of(
        lambda: (
            HEADER,
            b'a,"' + b'""' * 7_500_000 + b'"\n',
        )
    ),
    "a cell of 40 MB": of(
        lambda: (
            HEADER,
            b"a," + b"x" * 40_000_000 + b"\nc,d\n",
        )
    ),
    "a row of 40 MB of commas": of(
        lambda: (
            HEADER,
            b"," * 40_000_000 + b"\na,b\n",
        )
    ),
    "a row of 15 MB of commas": of(
        lambda: (
            HEADER,
            b"," * 15_000_000 + b"\na,b\n",
        )
    ),
    "a header of 15 MB of commas": of(lambda: (b"," * 15_000_000 + b"\na,b\n",)),
    "a million columns": of(
        lambda: (
            b",".join(b"c%d" % n for n in range(1_000_000)) + b"\n",
            b"a\n" * 100_000,
        )
    ),
    "9,000 columns and 200,000 short rows": of(
        lambda: (
            b"prompt,completion," + b",".join(b"c%d" % n for n in range(9_000)) + b"\n",
            b"a,b\n" * 200_000,
        )
    ),
    "two million bad rows": of(
        lambda: (
            HEADER,
            b"a,b,c\n" * 2_000_000,
        )
    ),
    "two million rows with half of their cells": of(
        lambda: (
            HEADER,
            b"a\n" * 2_000_000,
        )
    ),
    "two million rows that are not UTF-8": of(
        lambda: (
            HEADER,
            b"a,\xff\n" * 2_000_000,
        )
    ),
    "five million blank lines": of(
        lambda: (
            HEADER,
            b"\n" * 5_000_000,
            b"a,b\n",
        )
    ),
    "lone carriage returns": of(
        lambda: (
            HEADER.replace(b"\n", b"\r"),
            b"a,b\r" * 100_000,
        )
    ),
    "30 MB of lone carriage returns": of(
        lambda: (
            HEADER,
            b"\r" * 30_000_000,
        )
    ),
    "null bytes": of(
        lambda: (
            HEADER,
            b"\0" * 1_000_000,
            b"\na,b\n",
        )
    ),
    "UTF-16": of(lambda: ((HEADER + b"a,b\n").decode().encode("utf-16"),)),
    "UTF-32": of(lambda: ((HEADER + b"a,b\n").decode().encode("utf-32"),)),
    "half an emoji": of(
        lambda: (
            HEADER,
            b"a,\xed\xa0\xbd\n",
        )
    ),
    "JSON of three million objects in a cell": of(
        lambda: (
            b'messages,x\n"[',
            b"{}," * 3_000_000,
            b'1]",b\n',
        )
    ),
    "JSON 100,000 deep in a cell": of(
        lambda: (
            b'messages,x\n"',
            b"[" * 100_000,
            b'",b\n',
        )
    ),
    "JSON 980 deep in a cell": of(
        lambda: (
            b'messages,x\n"',
            b"[" * 980,
            b"]" * 980,
            b'",b\n',
        )
    ),
    "nothing but a header": of(lambda: (HEADER,)),
    "nothing": of(lambda: (b"",)),
    "a byte order mark and nothing": of(lambda: (b"\xef\xbb\xbf",)),
    "one quote": of(lambda: (b'"',)),
    "the same column twice": of(lambda: (b"prompt,prompt,completion\na,b,c\n",)),
    "columns without names": of(lambda: (b",,\na,b,c\n",)),
    "JSON Lines by another name": of(lambda: (b'{"text": "x"}\n' * 1000,)),
    "1 GB in one row": lambda folder: _sparse(folder, 2**30 - 2**20),
    "more than 1 GB in one row": lambda folder: _sparse(folder, 2**30 + 2**25),
}


def _sparse(folder: Path, size: int) -> Path:
    path = of(lambda: [HEADER, b"a,b\n"])(folder)
    with path.open("r+b") as file:
        file.truncate(size)
    return path
