"""The rows that a job trains on: a data file, tokenized and cut to length, and the order in which they are taken."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

from ftbridge.errors import DataError
from ftbridge_local.tokenizing.cache import tokenized_file
from ftbridge_local.tokenizing.encoding import Item
from ftbridge_local.tokenizing.tokenizer import Tokenizer


def read(
    file: Path, tokenizer: Tokenizer, max_length: int, home: Path, report: Callable[..., None]
) -> tuple[list[Item], list[int]]:
    """The examples of `file`, cut to `max_length` tokens, and their lines; those with nothing to train are skipped.

    `report(message=…)` is called with how many were cut or skipped.
    """
    rows: list[Item] = []
    numbers: list[int] = []
    skipped, truncated = [], []
    for line, whole in tokenized_file(file, tokenizer, home):
        item = whole.truncate(max_length)
        if not item.trainable:
            skipped.append(line)
            continue
        if item.tokens < whole.tokens:
            truncated.append(line)
        rows.append(item)
        numbers.append(line)
    for lines, what in ((skipped, "skipped, no answer within"), (truncated, "truncated to")):
        if lines:
            first = ", ".join(map(str, lines[:3])) + ", …" * (len(lines) > 3)
            report(message=f"rows {what} {max_length} tokens: {len(lines)} (line {first})")
    if not rows:
        raise DataError(f"{file.name} has no row to train on", hint="Raise max_seq_length, or shorten the prompts.")
    return rows, numbers


def batches(count: int, size: int, epochs: int, seed: int) -> Iterator[list[int]]:
    """The indices of the rows of each step, of `count` rows, for all epochs: every epoch in its own order."""
    for epoch in range(epochs):
        order = list(range(count))
        random.Random(f"{seed}/{epoch}").shuffle(order)  # noqa: S311 - the order of rows is no secret
        for start in range(0, count, size):
            yield order[start : start + size]
