"""Making a training and a validation file of a dataset: invalid rows and duplicates removed, divided, shuffled."""

from __future__ import annotations

import os
import random
import tempfile
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from io import FileIO
from itertools import zip_longest
from operator import attrgetter
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from ftbridge.dataset.checking.minhash import NearDuplicates, Signature
from ftbridge.dataset.data_file import Data
from ftbridge.dataset.findings import Diagnostics, Finding, Omitted
from ftbridge.dataset.reading.given import check_command
from ftbridge.dataset.reading.tables.csv_rows import UNCLOSED
from ftbridge.dataset.writing.atomic_file import atomic_file, mode_like
from ftbridge.dataset.writing.chunks import Chunk, read_chunks
from ftbridge.dataset.writing.earlier_split import REPORT, TRAIN, VALIDATION, check_replaceable, source_of
from ftbridge.dataset.writing.split import split
from ftbridge.errors import DataError, InputError, UsageError
from ftbridge.foreign.paths import path_text
from ftbridge.wording import printable

Dedupe = Literal["exact", "near", "none"]


class Part(Struct, frozen=True):
    """One of the files that were written."""

    path: Path
    examples: int


class Prepared(Struct, frozen=True):
    """The result. `dropped` counts the rows left out, by code; `findings` says why, and has all other findings.

    Of a rule that has more than 10,000 findings the first are listed, and `omitted` counts the others. `source` is the
    file that was read; None for standard input.
    """

    train: Part
    validation: Part | None
    dropped: dict[str, int]
    findings: tuple[Finding, ...]
    omitted: tuple[Omitted, ...] = ()
    source: str | None = None


def prepare(
    path: Data,
    out_dir: str | Path,
    *,
    dedupe: Dedupe = "exact",
    validation: float = 0.1,
    seed: int = 0,
    format: str | None = None,  # noqa: A002  # the word of the CLI
    workers: int | None = 1,
    force: bool = False,
) -> Prepared:
    """Write train.jsonl, validation.jsonl and report.json into `out_dir`, in the canonical format.

    Rows with errors and duplicates are left out and reported: of duplicates the first stays. Repeated JSON keys
    are reported as well, and the last value is written.
    With dedupe "none" duplicates all stay, on the same side of the split. Two examples are duplicates when the
    XXH3-128 of their canonical bytes is equal; near duplicates are found by MinHash. The fraction `validation`
    (0 to 1) of the examples is held out, stratified by system prompt. The same input and seed give the
    same bytes, and so do several `workers`: processes that read an uncompressed file of lines together. The files
    are never more open to others than `path`.
    Raises `InputError` for what cannot be read or written, and where the folder has such files that are not of an
    earlier run on the same file, unless `force` lets them be overwritten; `DataError` where no example is left.
    """
    if not 0 <= validation < 1:
        raise UsageError(
            f"the share for validation is {validation}", hint="Give one from 0 to less than 1, such as 0.1."
        )
    out_dir = Path(out_dir)
    try:
        if not force:
            check_replaceable(out_dir, path)
        with (
            _created(out_dir),
            tempfile.TemporaryDirectory(dir=out_dir, prefix=".new-") as folder,
            closing(_Rows(dedupe)) as rows,
        ):
            near = dedupe == "near"
            for chunk in read_chunks(path, Path(folder), format=format, signatures=near, workers=workers):
                rows.add(chunk)
            if rows.dropped[UNCLOSED]:
                raise DataError(
                    f"{printable(str(path), 200)} has a quote that is never closed, so that its rows are not known",
                    hint="`ftbridge check` names the line.",
                )
            if not rows.groups:
                raise DataError(
                    f"{printable(str(path), 200)} has no valid examples", hint=f"{check_command(path)} says why."
                )
            held_out = split(rows.groups, rows.strata, validation, seed)
            sides = [[row for row, held in enumerate(held_out) if held == side] for side in (False, True)]
            return _write(rows, sides, out_dir, seed, path)
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise InputError(
            f"{printable(str(out_dir), 200)} cannot be written: {reason}", hint="Name another folder."
        ) from None


@contextmanager
def _created(folder: Path) -> Iterator[None]:
    """Create the folder and its parents; where the block raises, the new ones are removed."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for path in new:
            with suppress(OSError):  # it is no longer empty
                path.rmdir()
        raise


class _Rows:
    """The rows that stay: where each is stored, which are duplicates of each other, and which share a system prompt."""

    def __init__(self, dedupe: Dedupe) -> None:
        self.groups: list[int] = []
        self.strata: list[int] = []
        self.dropped: Counter[str] = Counter()
        self.diagnostics = Diagnostics()
        self._lines = 0
        self._dedupe = dedupe
        self._near = NearDuplicates() if dedupe == "near" else None
        self._first: dict[bytes, int] = {}
        self._prompts: dict[int, int] = {}
        self._files: list[FileIO] = []
        self._slots = array("I"), array("Q"), array("Q")  # of each row: file, start, size

    def add(self, chunk: Chunk) -> None:
        """Take in the rows of the chunk that comes next."""
        file, start = len(self._files), 0
        self._files.append(chunk.file.open("rb", buffering=0))
        chunk.file.unlink()
        diagnostics, before = self.diagnostics, self._lines
        self.dropped += chunk.diagnostics.invalid
        diagnostics.take(chunk.diagnostics, before)
        files, starts, sizes = self._slots
        columns = zip_longest(chunk.lines, chunk.sizes, chunk.digests, chunk.prompts, chunk.signatures)
        for line, size, digest, prompt, signature in columns:
            diagnostics.line = before + line
            group = self._group(diagnostics, digest, signature)
            if group is not None:
                files.append(file)
                starts.append(start)
                sizes.append(size)
                self.groups.append(group)
                self.strata.append(self._prompts.setdefault(prompt, len(self._prompts)))
            start += size
        self._lines += chunk.line_count

    def read(self, indices: Sequence[int]) -> Iterator[bytes]:
        """The stored rows, one after the other."""
        handles = [file.fileno() for file in self._files]
        files, starts, sizes = self._slots
        for index in indices:
            yield os.pread(handles[files[index]], sizes[index], starts[index])

    def close(self) -> None:
        """Close the files that store the rows."""
        for file in self._files:
            file.close()

    def _group(self, diagnostics: Diagnostics, digest: bytes, signature: Signature) -> int | None:
        """The line of the first duplicate of the current row, or its own; None where the row is left out."""
        first = self._first.setdefault(digest, diagnostics.line)
        code = "duplicate" if first != diagnostics.line else ""
        if not code and self._near is not None:
            near = self._near.earlier(diagnostics.line, signature)
            first, code = (diagnostics.line, "") if near is None else (near, "near_duplicate")
        if not code or self._dedupe == "none":
            return first
        what = "a duplicate" if code == "duplicate" else "a near duplicate"
        diagnostics.warning("$", code, f"the row is {what} of line {first}", "Nothing to do: it is left out.")
        self.dropped[code] += 1
        return None


def _write(rows: _Rows, sides: list[list[int]], out_dir: Path, seed: int, source: Data) -> Prepared:
    train, validation, mode = out_dir / TRAIN, out_dir / VALIDATION, mode_like(source)
    rng = random.Random(seed)  # noqa: S311  # the order is to be repeatable, not secret
    parts = []
    for path, members in zip((train, validation), sides, strict=True):
        rng.shuffle(members)
        if members:
            with atomic_file(path, mode) as file:
                for row in rows.read(members):
                    file.write(row)
                file.commit()
        else:
            path.unlink(missing_ok=True)
        parts.append(Part(path, len(members)) if members else None)
    assert parts[0] is not None
    findings = tuple(sorted(rows.diagnostics.findings, key=attrgetter("line")))
    dropped = dict(sorted(rows.dropped.items()))
    prepared = Prepared(parts[0], parts[1], dropped, findings, rows.diagnostics.omitted, source_of(source))
    with atomic_file(out_dir / REPORT, mode) as file:
        file.write(msgspec.json.format(msgspec.json.encode(prepared, enc_hook=path_text), indent=2))
        file.commit()
    return prepared
