"""A data file as rows of tokens: tokenized once, kept by content, and cut to length for each job."""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import msgspec
import numpy as np
import xxhash
from safetensors.numpy import load_file, save_file

from ftbridge.dataset import read_examples
from ftbridge.dataset.canonical.example import Example
from ftbridge.errors import DataError
from ftbridge.files import content_key, replacing
from ftbridge_local.trainer import encoding as data
from ftbridge_local.trainer.encoding import Item, Pair, Row
from ftbridge_local.trainer.tokenizer import Tokenizer

_Packed: TypeAlias = "tuple[array[int], bytes]"  # a row's ids, and of each whether it is trained

_MOST_SEEN = 2**26  # tokens, in about half a gigabyte: beyond, the worker's time matters less than this memory

_RECIPE = 1  # part of what a kept file is found by: to be raised with every change to how examples are tokenized


def read(file: Path, tokenizer: Tokenizer, longest: int, home: Path, say: Callable[[str], None]) -> list[Item]:
    """The examples of `file`, cut to `longest` tokens; those with nothing left to train on are skipped, and said."""
    kept: list[Item] = []
    skipped, shortened = [], []
    for line, whole in _encoded(file, tokenizer, home):
        item = whole.cut(longest)
        if not item.fits:
            skipped.append(line)
            continue
        if item.tokens < whole.tokens:
            shortened.append(line)
        kept.append(item)
    for lines, what in ((skipped, "skipped, nothing of the answers fits into"), (shortened, "cut off, longer than")):
        if lines:
            first = ", ".join(map(str, lines[:3])) + ", …" * (len(lines) > 3)
            say(f"rows {what} {longest} tokens: {len(lines)} (line {first})")
    if not kept:
        raise DataError(f"{file.name} has no row to train on", hint="Raise max_seq_length, or shorten the prompts.")
    return kept


def batches(count: int, size: int, epochs: int, seed: int) -> Iterator[list[int]]:
    """Which of `count` rows go into each step, all epochs through: every epoch in an order of its own."""
    for epoch in range(epochs):
        order = list(range(count))
        random.Random(f"{seed}/{epoch}").shuffle(order)  # noqa: S311 - the order of rows is no secret
        for start in range(0, count, size):
            yield order[start : start + size]


class Seen:
    """The rows of examples that were tokenized in this process, found by what the examples say."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._fingerprint = tokenizer.fingerprint
        self._rows: dict[bytes, list[_Packed]] = {}
        self._room = _MOST_SEEN

    def add(self, example: Example, item: Item) -> None:
        """Remember what became of an example, as long as there is room."""
        self._room -= item.tokens
        if self._room < 0:
            self._rows.clear()
            return
        self._rows[_digest(example)] = [(array("i", row.ids), bytes(row.trained)) for row in item.rows]

    def keep(self, file: Path, home: Path) -> None:
        """Keep the file tokenized, if every example in it was seen: then nobody has to do it a second time."""
        known = _place(file, self._fingerprint, home)
        if known.exists():
            return
        columns = _Columns()
        for line, example in read_examples(file):
            packed = self._rows.get(_digest(example))
            if packed is None:
                return
            columns.add(line, packed)
        columns.write(known)


def _digest(example: Example) -> bytes:
    return xxhash.xxh3_128_digest(msgspec.json.encode(example))


def _place(file: Path, fingerprint: str, home: Path) -> Path:
    """Where the file is kept as that tokenizer reads it."""
    what = f"{_RECIPE}-{content_key(file)}-{fingerprint}"
    return home / "local" / "rows" / f"{xxhash.xxh3_128_hexdigest(what.encode())}.safetensors"


def _encoded(file: Path, tokenizer: Tokenizer, home: Path) -> list[tuple[int, Item]]:
    """Every example with its line number: from the cache, or else tokenized, and kept there."""
    known = _place(file, tokenizer.fingerprint, home)
    if known.exists():
        return _from_arrays(load_file(known))
    items = list(_tokenized(file, tokenizer))
    columns = _Columns()
    for line, item in items:
        columns.add(line, item.rows)
    columns.write(known)
    return items


def _tokenized(file: Path, tokenizer: Tokenizer) -> Iterator[tuple[int, Item]]:
    for line, example in read_examples(file):
        try:
            yield line, data.tokenize(example, tokenizer)
        except data.UnfitError as problem:
            raise DataError(f"{file.name}, line {line}: {problem}", hint=problem.fix, line=line) from None


class _Columns:
    """A tokenized file as it is kept: the line and the number of rows of each example, the rows end to end."""

    def __init__(self) -> None:
        self._lines, self._rows, self._lengths = array("q"), array("q"), array("q")
        self._ids, self._trained = array("i"), bytearray()

    def add(self, line: int, rows: Sequence[Row | _Packed]) -> None:
        self._lines.append(line)
        self._rows.append(len(rows))
        for ids, trained in rows:
            self._lengths.append(len(ids))
            self._ids.extend(ids)
            self._trained.extend(trained)

    def write(self, place: Path) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        with replacing(place) as beside:
            save_file(
                {
                    "lines": np.frombuffer(self._lines, np.int64),
                    "rows": np.frombuffer(self._rows, np.int64),
                    "lengths": np.frombuffer(self._lengths, np.int64),
                    "ids": np.frombuffer(self._ids, np.int32),
                    "trained": np.frombuffer(self._trained, np.bool_),
                },
                beside,
            )


def _from_arrays(kept: dict[str, np.ndarray]) -> list[tuple[int, Item]]:
    ends = np.cumsum(kept["lengths"])[:-1]
    parts = (np.split(kept[name], ends) for name in ("ids", "trained"))
    rows = (Row(ids.tolist(), trained.tolist()) for ids, trained in zip(*parts, strict=True))
    made: list[tuple[int, Item]] = []
    for line, count in zip(kept["lines"].tolist(), kept["rows"].tolist(), strict=True):
        made.append((line, Pair(next(rows), next(rows)) if count == 2 else next(rows)))
    return made
