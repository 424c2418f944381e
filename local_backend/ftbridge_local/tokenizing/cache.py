"""Data files as tokens: tokenized once for each content and tokenizer, and cached in the home."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import msgspec
import numpy as np
import xxhash
from safetensors.numpy import load_file, save_file

from ftbridge.dataset import read_examples
from ftbridge.dataset.canonical.example import Example
from ftbridge.errors import DataError
from ftbridge.files import content_key, make_folder, replacing
from ftbridge_local.tokenizing import encoding
from ftbridge_local.tokenizing.encoding import Item, Pair, Row
from ftbridge_local.tokenizing.messages import UntrainableError
from ftbridge_local.tokenizing.tokenizer import Tokenizer

_Arrays: TypeAlias = "tuple[array[int], bytes]"  # a row's ids, and of each whether it is trained

_MAX_TOKENS = 2**26  # in about half a gigabyte: beyond, this memory matters more than the worker's time

_VERSION = 2  # part of the key of a cached file: to be raised with every change to how examples are tokenized


class TokenizedExamples:
    """The rows of examples that were tokenized in this process, found by the examples' content."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._fingerprint = tokenizer.fingerprint
        self._rows: dict[bytes, list[_Arrays]] = {}
        self._tokens_left = _MAX_TOKENS

    def add(self, example: Example, item: Item) -> None:
        """Remember the tokens of an example, unless there are too many already."""
        self._tokens_left -= item.tokens
        if self._tokens_left < 0:
            self._rows.clear()
            return
        self._rows[_digest(example)] = [(array("i", row.ids), bytes(row.trained)) for row in item.rows]

    def store(self, file: Path, home: Path) -> None:
        """Cache the file's tokens, if every example in it was tokenized here: the worker need not do it again."""
        cached = _cache_file(file, self._fingerprint, home)
        if cached.exists():
            return
        columns = _Columns()
        for line, example in read_examples(file):
            rows = self._rows.get(_digest(example))
            if rows is None:
                return
            columns.add(line, rows)
        columns.write(cached)


def tokenized_file(file: Path, tokenizer: Tokenizer, home: Path) -> list[tuple[int, Item]]:
    """Every example of the file with its line number, from the cache, or else tokenized and put there."""
    cached = _cache_file(file, tokenizer.fingerprint, home)
    with suppress(FileNotFoundError):  # there is none yet, or `prune` has just removed it
        return _from_arrays(load_file(cached))
    items = list(_tokenize(file, tokenizer))
    columns = _Columns()
    for line, item in items:
        columns.add(line, item.rows)
    columns.write(cached)
    return items


def _tokenize(file: Path, tokenizer: Tokenizer) -> Iterator[tuple[int, Item]]:
    for line, example in read_examples(file):
        try:
            yield line, encoding.tokenize(example, tokenizer)
        except UntrainableError as problem:
            raise DataError(f"{file.name}, line {line}: {problem}", hint=problem.fix, line=line) from None


def _digest(example: Example) -> bytes:
    return xxhash.xxh3_128_digest(msgspec.json.encode(example))


def _cache_file(file: Path, fingerprint: str, home: Path) -> Path:
    """Where the file's tokens by that tokenizer are cached."""
    key = f"{_VERSION}-{content_key(file)}-{fingerprint}"
    return home / "local" / "rows" / f"{xxhash.xxh3_128_hexdigest(key.encode())}.safetensors"


class _Columns:
    """A tokenized file as it is stored: the line and the number of rows of each example, the rows concatenated."""

    def __init__(self) -> None:
        self._lines, self._rows, self._lengths = array("q"), array("q"), array("q")
        self._ids, self._trained = array("i"), bytearray()

    def add(self, line: int, rows: Sequence[Row | _Arrays]) -> None:
        self._lines.append(line)
        self._rows.append(len(rows))
        for ids, trained in ((row[0], row[1]) for row in rows):
            self._lengths.append(len(ids))
            self._ids.extend(ids)
            self._trained.extend(trained)

    def write(self, file: Path) -> None:
        make_folder(file.parent)
        with replacing(file) as temporary:
            save_file(
                {
                    "lines": np.frombuffer(self._lines, np.int64),
                    "rows": np.frombuffer(self._rows, np.int64),
                    "lengths": np.frombuffer(self._lengths, np.int64),
                    "ids": np.frombuffer(self._ids, np.int32),
                    "trained": np.frombuffer(self._trained, np.bool_),
                },
                temporary,
            )


def _from_arrays(columns: dict[str, np.ndarray]) -> list[tuple[int, Item]]:
    ends = np.cumsum(columns["lengths"])[:-1]
    parts = (np.split(columns[name], ends) for name in ("ids", "trained"))
    rows = (Row(ids.tolist(), trained.tolist()) for ids, trained in zip(*parts, strict=True))
    items: list[tuple[int, Item]] = []
    for line, count in zip(columns["lines"].tolist(), columns["rows"].tolist(), strict=True):
        items.append((line, Pair(next(rows), next(rows)) if count == 2 else next(rows)))
    return items
