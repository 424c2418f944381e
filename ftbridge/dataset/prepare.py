"""Making a training and a validation file of a dataset: broken rows and duplicates out, divided, shuffled."""

from __future__ import annotations

import os
import random
import tempfile
from array import array
from collections import Counter
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO, Literal, cast

import msgspec
import xxhash
from msgspec import Struct

from ftbridge.dataset.example import Example
from ftbridge.dataset.findings import Finding, Notes
from ftbridge.dataset.near import NearDuplicates
from ftbridge.dataset.printable import printable
from ftbridge.dataset.source import open_source
from ftbridge.dataset.split import split
from ftbridge.dataset.texts import system_prompt
from ftbridge.dataset.whole import whole_file
from ftbridge.errors import DataError, InputError, UsageError

Dedupe = Literal["exact", "near", "none"]


class Part(Struct, frozen=True):
    """One of the files that were written."""

    path: Path
    examples: int


class Prepared(Struct, frozen=True):
    """What came of it. `dropped` counts the rows left out, by code; `findings` says why each was."""

    train: Part
    validation: Part | None
    dropped: dict[str, int]
    findings: tuple[Finding, ...]


def prepare(
    path: str | Path,
    out_dir: str | Path,
    *,
    dedupe: Dedupe = "exact",
    validation: float = 0.1,
    seed: int = 0,
    format: str | None = None,  # noqa: A002  # the word of the CLI
) -> Prepared:
    """Write train.jsonl, validation.jsonl and report.json into `out_dir`, in the canonical format.

    Rows with errors and duplicates are left out and reported: of duplicates the first stays.
    With dedupe "none" they all stay, on the same side. Two examples are the same when the
    XXH3-128 of their canonical bytes is; near ones are told by MinHash. About `validation` (0 to 1) of the
    examples is for validation, of each system prompt alike. The same input and seed give the
    same bytes. Raises `InputError` for what cannot be read or written, and `DataError` where
    no example is left.
    """
    if not 0 <= validation < 1:
        raise UsageError(f"validation = {validation} cannot be used", hint="Give a share from 0 to less than 1.")
    out_dir = Path(out_dir)
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out_dir, buffering=2**18) as scratch:
            rows = _Rows(cast(BinaryIO, scratch), dedupe)
            found = rows.read(path, format)
            if not rows.groups:
                raise DataError(f"{printable(str(path), 200)} holds no sound example", hint="ftbridge check says why.")
            chosen = split(rows.groups, rows.strata, validation, seed)
            sides = [[row for row, held in enumerate(chosen) if held == side] for side in (False, True)]
            return _write(rows, sides, found, out_dir, seed)
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise InputError(
            f"{printable(str(out_dir), 200)} cannot be written: {reason}", hint="Choose another place with --out."
        ) from None


class _Rows:
    """The rows that stay, canonically encoded in a scratch file, and what is to be known of each."""

    def __init__(self, scratch: BinaryIO, dedupe: Dedupe) -> None:
        self.scratch = scratch
        self.ends = array("Q", [0])
        self.groups: list[int] = []
        self.strata: list[int] = []
        self.dropped: Counter[str] = Counter()
        self._dedupe = dedupe
        self._near = NearDuplicates() if dedupe == "near" else None
        self._first: dict[bytes, int] = {}
        self._prompts: dict[int, int] = {}

    def read(self, path: str | Path, format: str | None) -> tuple[Finding, ...]:  # noqa: A002  # the word of the CLI
        """Keep the sound rows of `path`, each once; returns what is to be said of the others."""
        notes = Notes()
        encode = msgspec.json.Encoder().encode
        with open_source(path, format) as source:
            for _, example in source.examples(notes):
                self._keep(example, encode(example) + b"\n", notes)
        for _, found in groupby(notes.findings, attrgetter("line")):
            broken = [finding.code for finding in found if finding.level == "error"]
            self.dropped.update(broken[:1])
        return tuple(notes.findings)

    def row(self, index: int) -> bytes:
        """One row as it was kept."""
        start = self.ends[index]
        return os.pread(self.scratch.fileno(), self.ends[index + 1] - start, start)

    def _keep(self, example: Example, data: bytes, notes: Notes) -> None:
        first = self._first.setdefault(xxhash.xxh3_128_digest(data), notes.line)
        code = "duplicate" if first != notes.line else ""
        if not code and self._near is not None:
            near = self._near.earlier(notes.line, example)
            first, code = (notes.line, "") if near is None else (near, "near_duplicate")
        if code and self._dedupe != "none":
            says = "the same as" if code == "duplicate" else "nearly the same as"
            notes.warning("$", code, f"the row says {says} line {first}", "Nothing: it is left out.")
            self.dropped[code] += 1
            return
        self.scratch.write(data)
        self.ends.append(self.ends[-1] + len(data))
        self.groups.append(first)
        prompt = xxhash.xxh3_64_intdigest(system_prompt(example).encode())
        self.strata.append(self._prompts.setdefault(prompt, len(self._prompts)))


def _write(rows: _Rows, sides: list[list[int]], found: tuple[Finding, ...], out_dir: Path, seed: int) -> Prepared:
    train, held = out_dir / "train.jsonl", out_dir / "validation.jsonl"
    rng = random.Random(seed)  # noqa: S311  # an order is to be repeatable, not secret
    rows.scratch.flush()
    parts = []
    for place, members in zip((train, held), sides, strict=True):
        rng.shuffle(members)
        if members:
            with whole_file(place) as file:
                for index in members:
                    file.write(rows.row(index))
                file.keep()
        else:
            place.unlink(missing_ok=True)
        parts.append(Part(place, len(members)) if members else None)
    assert parts[0] is not None
    prepared = Prepared(parts[0], parts[1], dict(sorted(rows.dropped.items())), found)
    with whole_file(out_dir / "report.json") as file:
        file.write(msgspec.json.format(msgspec.json.encode(prepared, enc_hook=str), indent=2))
        file.keep()
    return prepared
