"""A data file as rows of tokens: tokenized once, kept by content, and cut to length for each job."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import xxhash
from safetensors.numpy import load_file, save_file

from ftbridge.dataset import read_examples
from ftbridge.errors import DataError
from ftbridge.files import replacing
from ftbridge_local import data
from ftbridge_local.data import Item, Pair, Row
from ftbridge_local.tokenizer import Tokenizer

_RECIPE = 1  # part of what a kept file is found by: to be raised with every change to how examples are tokenized


def read(file: Path, tokenizer: Tokenizer, longest: int, cache: Path, say: Callable[[str], None]) -> list[Item]:
    """The examples of `file`, cut to `longest` tokens; those with nothing left to train on are skipped, and said."""
    kept: list[Item] = []
    skipped, shortened = [], []
    for line, whole in _encoded(file, tokenizer, cache):
        item = whole.cut(longest)
        if not item.fits:
            skipped.append(line)
            continue
        if item.tokens < whole.tokens:
            shortened.append(line)
        kept.append(item)
    for lines, what in ((skipped, "skipped: nothing of the answers fits into"), (shortened, "cut off: longer than")):
        if lines:
            first = ", ".join(map(str, lines[:3]))
            say(f"{len(lines)} rows were {what} {longest} tokens (the first in lines {first})")
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


def _encoded(file: Path, tokenizer: Tokenizer, cache: Path) -> list[tuple[int, Item]]:
    """Every example with its line number: from the cache, or else tokenized, and kept there."""
    what = f"{_RECIPE}-{xxhash.xxh3_128_hexdigest(file.read_bytes())}-{tokenizer.fingerprint}"
    known = cache / f"{xxhash.xxh3_128_hexdigest(what.encode())}.safetensors"
    if not known.exists():
        cache.mkdir(parents=True, exist_ok=True)
        items = list(_tokenized(file, tokenizer))
        with replacing(known) as beside:
            save_file(_to_arrays(items), beside)
        return items
    return _from_arrays(load_file(known))


def _tokenized(file: Path, tokenizer: Tokenizer) -> Iterator[tuple[int, Item]]:
    for line, example in read_examples(file):
        try:
            yield line, data.tokenize(example, tokenizer)
        except data.UnfitError as problem:
            raise DataError(f"{file.name}, line {line}: {problem}", hint=problem.fix, line=line) from None


def _to_arrays(items: Sequence[tuple[int, Item]]) -> dict[str, np.ndarray]:
    rows = [row for _line, item in items for row in item.rows]
    return {
        "lines": np.array([line for line, _item in items], dtype=np.int64),
        "rows": np.array([len(item.rows) for _line, item in items], dtype=np.int64),
        "lengths": np.array([row.tokens for row in rows], dtype=np.int64),
        "ids": np.array([token for row in rows for token in row.ids], dtype=np.int32),
        "trained": np.array([trained for row in rows for trained in row.trained], dtype=np.bool_),
    }


def _from_arrays(kept: dict[str, np.ndarray]) -> list[tuple[int, Item]]:
    ends = np.cumsum(kept["lengths"])[:-1]
    parts = (np.split(kept[name], ends) for name in ("ids", "trained"))
    rows = (Row(ids.tolist(), trained.tolist()) for ids, trained in zip(*parts, strict=True))
    made: list[tuple[int, Item]] = []
    for line, count in zip(kept["lines"].tolist(), kept["rows"].tolist(), strict=True):
        made.append((line, Pair(next(rows), next(rows)) if count == 2 else next(rows)))
    return made
