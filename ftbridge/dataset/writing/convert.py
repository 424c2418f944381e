"""Writing a dataset in a target's format."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from ftbridge.dataset.canonical.example import Example
from ftbridge.dataset.canonical.verbatim import differences
from ftbridge.dataset.checking.whole_file import Extent, check_whole_file, in_line_order
from ftbridge.dataset.converter import Converter
from ftbridge.dataset.data_file import Data
from ftbridge.dataset.findings import Diagnostics, Finding, Omitted, omitted_of
from ftbridge.dataset.reading.batch import Batch, batches, encoded
from ftbridge.dataset.reading.observer import Observer, show
from ftbridge.dataset.reading.parts import PartReader, part_reader
from ftbridge.dataset.reading.processes import run_in_processes
from ftbridge.dataset.reading.ranges import Range, byte_ranges, worker_count
from ftbridge.dataset.reading.rows import Reader, Row
from ftbridge.dataset.reading.source import Source, open_source
from ftbridge.dataset.target_rules import TargetRules
from ftbridge.dataset.unforeseen import report_unforeseen
from ftbridge.dataset.writing.atomic_file import atomic_file, mode_like
from ftbridge.errors import InputError
from ftbridge.files import PRIVATE_FILE
from ftbridge.wording import counted

_CHUNK = 2**18
_encode = msgspec.json.Encoder().encode
_Write: TypeAlias = Callable[[bytes], object]


class Conversion(Struct, frozen=True):
    """The result of converting a file.

    `exact` rows mean the same at the target; `changed` maps each code of a difference to how
    many rows have it and the first one's line. Where anything is `impossible` nothing was
    written. `key` is a hash of what was written, which identifies the upload. Of a rule that has more than 10,000
    findings the first are listed, and `omitted` counts the others.
    """

    out: Path
    target: str
    examples: int
    exact: int
    changed: dict[str, tuple[int, int]]
    impossible: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    key: str
    omitted: tuple[Omitted, ...] = ()

    @property
    def errors(self) -> int:
        """How many findings make it impossible, those that are not listed included."""
        return len(self.impossible) + omitted_of(self.omitted, "error")

    def __repr__(self) -> str:
        outcome = f"{counted(len(self.impossible), 'error')}, not written" if self.impossible else f"{self.out}"
        return f"<Conversion of {counted(self.examples, 'example')} for {self.target}: {outcome}>"


def convert(
    path: Data,
    converter: Converter,
    out: str | Path,
    *,
    format: str | None = None,  # noqa: A002  # the word of the CLI
    observers: Sequence[Observer] = (),
    sent_observers: Sequence[Observer] = (),
    workers: int | None = 1,
    private: bool = False,
) -> Conversion:
    """Write the rows of `path` in the format of `converter`'s target to `out`, completely or not at all.

    A row that the target takes unchanged is passed on as the same bytes. `observers` see the valid examples as they
    are read, and `sent_observers` those that the target takes, as they are written; a row that is not in the
    canonical format then, as it was read. With several `workers`, and no observers, which need all rows in order,
    an uncompressed file of lines is converted by as many processes, to the same bytes.
    The file is never more open to others than `path`, and where it is `private` it is its owner's alone.
    Raises `InputError` for what cannot be opened, read or written.
    """
    out = Path(out)
    if out.exists() and str(path) != "-" and out.samefile(path):
        raise InputError(f"{path} would be overwritten by its own conversion", hint="Name another file.")
    mode = PRIVATE_FILE if private else mode_like(path)
    with open_source(path, format) as source, atomic_file(out, mode) as file:
        divisible = source.divisible and not observers and not sent_observers
        processes = worker_count(Path(path), workers) if divisible else 1
        if processes > 1:
            tally = _convert_parts(Path(path), source, converter, processes, out.parent, file.write)
        else:
            tally = _convert_rows(source.rows, source.reader, converter, file.write, observers, sent_observers)
        diagnostics, extent = tally.diagnostics, Extent(tally.with_images, file.buffer.tell())
        check_whole_file(tally.examples, diagnostics, [converter], [extent])
        findings = in_line_order(diagnostics.findings)
        impossible = tuple(finding for finding in findings if finding.level == "error")
        key = file.key()
        if not impossible:
            file.commit()
    warnings = tuple(finding for finding in findings if finding.level == "warning")
    return Conversion(
        out,
        converter.target,
        tally.examples,
        tally.exact,
        tally.changed,
        impossible,
        warnings,
        key,
        diagnostics.omitted,
    )


class _Tally(Struct):
    """The result of converting some rows; `lines` is how many lines they were on."""

    diagnostics: Diagnostics
    lines: int = 0
    examples: int = 0
    exact: int = 0
    with_images: int = 0
    changed: dict[str, tuple[int, int]] = {}

    def add(self, later: _Tally) -> None:
        """Take in the result for the rows that come next."""
        for code, (count, first) in later.changed.items():
            earlier, line = self.changed.get(code, (0, first + self.lines))
            self.changed[code] = earlier + count, line
        self.diagnostics.take(later.diagnostics, self.lines)
        self.lines += later.lines
        self.examples += later.examples
        self.exact += later.exact
        self.with_images += later.with_images

    def count_changes(self, codes: list[str], line: int) -> None:
        """Count a row that was changed in these ways."""
        for code in sorted(set(codes)):
            count, first = self.changed.get(code, (0, line))
            self.changed[code] = count + 1, first


def _convert_rows(
    rows: Iterable[tuple[int, Row]],
    read: Reader,
    converter: Converter,
    write: _Write,
    observers: Sequence[Observer] = (),
    sent_observers: Sequence[Observer] = (),
) -> _Tally:
    """Write each row in the target's format."""
    diagnostics, rules = Diagnostics(), TargetRules(converter)
    tally = _Tally(diagnostics)
    for taken in batches(rows, read, diagnostics):
        for batch in encoded(taken, diagnostics):
            show(observers, batch)
            written, sent = _converted(batch, rules, tally)
            write(b"".join(written))
            show(sent_observers, sent)
    tally.lines, tally.with_images = diagnostics.line, rules.diagnostics.with_images
    diagnostics.take(rules.diagnostics)
    return tally


def _converted(batch: Batch, rules: TargetRules, tally: _Tally) -> tuple[list[bytes], Batch]:
    """The rows as they are written, each with a line end, and the examples that they hold; all is counted in `tally`.

    An example that is sent in another form than a canonical one is among them as it was read.
    """
    to_convert, codes = rules.to_convert(batch), rules.diagnostics.changes
    written: list[Any] = batch.raws.copy()  # None where the target does not take a row
    held = batch.examples.copy()
    tally.examples += len(written)
    tally.exact += len(written) - len(to_convert)
    for index in to_convert:
        line, example = batch.lines[index], batch.examples[index]
        row: Any = None
        try:
            row = rules.convert(line, example)
            written[index] = None if row is None else _written(batch, index, row, codes)
        except Exception as unforeseen:
            row = written[index] = None
            with tally.diagnostics.at(line):
                report_unforeseen(unforeseen, tally.diagnostics)
        if row is not None:
            tally.exact += not codes
            tally.count_changes(codes, line)
            held[index] = row if row is example or isinstance(row, Example) else example
        codes.clear()
    return [row for row in written if row is not None], _sent(batch, written, held)


def _written(batch: Batch, index: int, row: Any, codes: list[str]) -> bytes:
    """What is written for `row`: the line that was read, if it is canonical and taken as it is."""
    raw, example = batch.raws[index], batch.examples[index]
    if not batch.canonical and index in batch.repeating:
        codes.append("repeated_keys_removed")
    if row is not example:
        return _encode(row) + b"\n"
    known = batch.encoded.get(index)
    if batch.canonical and type(raw) is bytes:
        other = differences(raw, known) if known is not None else None
        if not other:
            return raw if raw.endswith(b"}\n") else raw.strip() + b"\n"
        codes.extend(sorted(other))
    return (_encode(row) if known is None else known) + b"\n"


def _sent(batch: Batch, written: list[Any], held: list[Example]) -> Batch:
    """The rows of the batch that were written, with what they hold."""
    if None not in written and held == batch.examples:
        return batch
    kept = [index for index, row in enumerate(written) if row is not None]
    return Batch(
        [batch.lines[index] for index in kept], [batch.raws[index] for index in kept], [held[index] for index in kept]
    )


def _convert_parts(
    path: Path,
    source: Source,
    converter: Converter,
    workers: int,
    folder: Path,
    write: _Write,
) -> _Tally:
    ranges, tally = byte_ranges(path), _Tally(Diagnostics())
    with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as temporary:
        files = [Path(temporary) / str(number) for number in range(len(ranges))]
        convert_range = partial(_convert_range, part_reader(path, source), converter)
        for file, part in zip(files, run_in_processes(convert_range, workers, ranges, files), strict=True):
            tally.add(part)
            with file.open("rb") as written:
                for chunk in iter(partial(written.read, _CHUNK), b""):
                    write(chunk)
            file.unlink()
    return tally


def _convert_range(file: PartReader, converter: Converter, part: Range, out: Path) -> _Tally:
    with file.open(part) as (rows, read), out.open("wb", buffering=_CHUNK) as written:
        return _convert_rows(rows, read, converter, written.write)
