"""Making a training and a validation file of a dataset: broken rows and duplicates out, divided, shuffled."""

from __future__ import annotations

import os
import random
import tempfile
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from io import FileIO
from itertools import groupby, zip_longest
from operator import attrgetter
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ftbridge.dataset.checking.near_duplicates import NearDuplicates, Signature
from ftbridge.dataset.findings import Diagnostics, Finding
from ftbridge.dataset.reading.rows import once
from ftbridge.dataset.writing.gather import Share, gather
from ftbridge.dataset.writing.split import split
from ftbridge.dataset.writing.whole_file import whole_file
from ftbridge.errors import DataError, InputError, UsageError
from ftbridge.wording import printable

Dedupe = Literal["exact", "near", "none"]


class Part(Struct, frozen=True):
    """One of the files that were written."""

    path: Path
    examples: int


class Prepared(Struct, frozen=True):
    """What came of it. `dropped` counts the rows left out, by code; `findings` says why, and what else there is."""

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
    workers: int = 1,
) -> Prepared:
    """Write train.jsonl, validation.jsonl and report.json into `out_dir`, in the canonical format.

    Rows with errors and duplicates are left out and reported: of duplicates the first stays. That a JSON key
    comes twice in a row is reported as well, and the last one is written.
    With dedupe "none" they all stay, on the same side. Two examples are the same when the
    XXH3-128 of their canonical bytes is; near ones are told by MinHash. About `validation` (0 to 1) of the
    examples is for validation, of each system prompt alike. The same input and seed give the
    same bytes, and so do several `workers`: processes that read an unpacked file of lines together.
    Raises `InputError` for what cannot be read or written, and `DataError` where
    no example is left.
    """
    if not 0 <= validation < 1:
        raise UsageError(f"validation = {validation} cannot be used", hint="Give a share from 0 to less than 1.")
    out_dir = Path(out_dir)
    try:
        with (
            _made(out_dir),
            tempfile.TemporaryDirectory(dir=out_dir, prefix=".new-") as folder,
            closing(_Rows(dedupe)) as rows,
        ):
            for share in gather(path, Path(folder), format=format, sketched=dedupe == "near", workers=workers):
                rows.add(share)
            if not rows.groups:
                raise DataError(f"{printable(str(path), 200)} holds no sound example", hint="ftbridge check says why.")
            chosen = split(rows.groups, rows.strata, validation, seed)
            sides = [[row for row, held in enumerate(chosen) if held == side] for side in (False, True)]
            return _write(rows, sides, out_dir, seed)
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise InputError(
            f"{printable(str(out_dir), 200)} cannot be written: {reason}", hint="Choose another place with --out."
        ) from None


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make the folder, and those that it is in; where the block raises, those that are new go again."""
    new = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for place in new:
            with suppress(OSError):  # something is in it by now
                place.rmdir()
        raise


class _Rows:
    """The rows that stay: where each is kept, which are duplicates of each other, and which have one system prompt."""

    def __init__(self, dedupe: Dedupe) -> None:
        self.groups: list[int] = []
        self.strata: list[int] = []
        self.dropped: Counter[str] = Counter()
        self.findings: list[Finding] = []
        self._lines = 0
        self._dedupe = dedupe
        self._near = NearDuplicates() if dedupe == "near" else None
        self._first: dict[bytes, int] = {}
        self._prompts: dict[int, int] = {}
        self._files: list[FileIO] = []
        self._places = array("I"), array("Q"), array("Q")

    def add(self, share: Share) -> None:
        """Take in the rows of the share that comes next, each once."""
        file, start = len(self._files), 0
        self._files.append(share.file.open("rb", buffering=0))
        share.file.unlink()
        diagnostics, before = Diagnostics(), self._lines
        files, starts, sizes = self._places
        columns = zip_longest(share.lines, share.sizes, share.digests, share.prompts, share.sketches)
        for line, size, digest, prompt, sketch in columns:
            diagnostics.line = before + line
            group = self._group(diagnostics, digest, sketch)
            if group is not None:
                files.append(file)
                starts.append(start)
                sizes.append(size)
                self.groups.append(group)
                self.strata.append(self._prompts.setdefault(prompt, len(self._prompts)))
            start += size
        read = [replace(finding, line=finding.line + before) for finding in share.findings]
        for _, found in groupby(read, attrgetter("line")):
            broken = [finding.code for finding in found if finding.level == "error"]
            self.dropped.update(broken[:1])
        self.findings += sorted((*read, *diagnostics.findings), key=attrgetter("line"))
        self._lines += share.last

    def read(self, indices: Sequence[int]) -> Iterator[bytes]:
        """Rows as they were kept, one after the other."""
        handles = [file.fileno() for file in self._files]
        files, starts, sizes = self._places
        for index in indices:
            yield os.pread(handles[files[index]], sizes[index], starts[index])

    def close(self) -> None:
        """Let go of the rows."""
        for file in self._files:
            file.close()

    def _group(self, diagnostics: Diagnostics, digest: bytes, sketch: Signature) -> int | None:
        """The line of the first row that says the same as the current one; None where that row is left out."""
        first = self._first.setdefault(digest, diagnostics.line)
        code = "duplicate" if first != diagnostics.line else ""
        if not code and self._near is not None:
            near = self._near.earlier(diagnostics.line, sketch)
            first, code = (diagnostics.line, "") if near is None else (near, "near_duplicate")
        if not code or self._dedupe == "none":
            return first
        says = "the same as" if code == "duplicate" else "nearly the same as"
        diagnostics.warning("$", code, f"the row says {says} line {first}", "Nothing: it is left out.")
        self.dropped[code] += 1
        return None


def _write(rows: _Rows, sides: list[list[int]], out_dir: Path, seed: int) -> Prepared:
    train, held = out_dir / "train.jsonl", out_dir / "validation.jsonl"
    rng = random.Random(seed)  # noqa: S311  # an order is to be repeatable, not secret
    parts = []
    for place, members in zip((train, held), sides, strict=True):
        rng.shuffle(members)
        if members:
            with whole_file(place) as file:
                for row in rows.read(members):
                    file.write(row)
                file.keep()
        else:
            place.unlink(missing_ok=True)
        parts.append(Part(place, len(members)) if members else None)
    assert parts[0] is not None
    prepared = Prepared(parts[0], parts[1], dict(sorted(rows.dropped.items())), tuple(once(rows.findings)))
    with whole_file(out_dir / "report.json") as file:
        file.write(msgspec.json.format(msgspec.json.encode(prepared, enc_hook=str), indent=2))
        file.keep()
    return prepared
