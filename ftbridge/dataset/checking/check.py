"""Everything that is wrong with a dataset, by the canonical rules and by those of the targets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct

from ftbridge.dataset.checking.whole_file import Extent, check_whole_file, in_line_order
from ftbridge.dataset.converter import Converter
from ftbridge.dataset.counting.sample import TokenCount
from ftbridge.dataset.data_file import Data
from ftbridge.dataset.findings import Diagnostics, Finding, Omitted, omitted_of
from ftbridge.dataset.reading.batch import Batch, batches, encoded
from ftbridge.dataset.reading.observer import Divisible, Observer, show
from ftbridge.dataset.reading.parts import PartReader, part_reader
from ftbridge.dataset.reading.processes import run_in_processes
from ftbridge.dataset.reading.ranges import Range, byte_ranges, worker_count
from ftbridge.dataset.reading.rows import Reader, Row
from ftbridge.dataset.reading.source import Source, open_source
from ftbridge.dataset.repeated import report_repeated_keys
from ftbridge.dataset.target_rules import TargetRules
from ftbridge.dataset.unforeseen import report_unforeseen
from ftbridge.wording import counted

_encode = msgspec.json.Encoder().encode


class Report(Struct, frozen=True):
    """What `check` found. `examples` counts the valid ones; `why` says how the format was detected.

    `errors` and `warnings` count all findings. Of a rule that has more than 10,000 the first are in `findings`, and
    `omitted` counts the others. `tokens` has a count for each target for which it was requested.
    """

    file: str
    format: str
    why: str
    examples: int
    errors: int
    warnings: int
    findings: tuple[Finding, ...]
    tokens: dict[str, TokenCount] = {}
    omitted: tuple[Omitted, ...] = ()

    def __repr__(self) -> str:
        counts = [(self.examples, "example"), (self.errors, "error"), (self.warnings, "warning")]
        return f"<Report {self.file}: {', '.join(counted(number, what) for number, what in counts)}>"


def check(
    path: Data,
    *,
    format: str | None = None,  # noqa: A002  # the word of the CLI
    converters: Sequence[Converter] = (),
    observers: Sequence[Observer] = (),
    workers: int | None = 1,
) -> Report:
    """Read all of `path` and report every problem, by line; `observers` see the valid examples in the same pass.

    Repeated JSON keys are searched for only where there are `converters`: to prove that there are none
    takes a third of the time of reading. An uncompressed file of lines is read in parts, by as many processes as there
    are `workers` (None: one for a small file, else as many as there are cores), with the same report; but in one piece
    where some of the observers are not `Divisible`.
    Bad content never raises; `InputError` is for what cannot be opened or read at all.
    """
    with open_source(path, format) as source:
        divisible = [observer for observer in observers if isinstance(observer, Divisible)]
        parts = byte_ranges(Path(path)) if source.divisible and len(divisible) == len(observers) else []
        if len(parts) > 1:
            processes = worker_count(Path(path), workers)
            tally = _check_parts(Path(path), source, converters, divisible, parts, processes)
        else:
            tally = _check_rows(source.rows, source.reader, converters, observers)
    check_whole_file(tally.examples, tally.diagnostics, converters, tally.extents)
    return _report(source, tally.examples, tally.diagnostics)


def _report(source: Source, examples: int, diagnostics: Diagnostics) -> Report:
    findings, omitted = in_line_order(diagnostics.findings), diagnostics.omitted
    warnings = sum(finding.level == "warning" for finding in findings) + omitted_of(omitted, "warning")
    errors = diagnostics.errors
    return Report(source.name, source.format, source.why, examples, errors, warnings, tuple(findings), omitted=omitted)


class _Tally(Struct):
    """What is known of some rows: on how many lines they are, how many are valid, their extent for each target."""

    lines: int
    examples: int
    extents: list[Extent]
    diagnostics: Diagnostics

    def add(self, later: _Tally) -> None:
        """Take in what is known of the rows that come next. Raises `ReadInVain` as reading them would."""
        before, self.lines = self.lines, self.lines + later.lines
        self.examples += later.examples
        for extent, more in zip(self.extents, later.extents, strict=True):
            extent.with_images += more.with_images
            extent.size += more.size
        self.diagnostics.take_part(later.diagnostics, before)


def _check_rows(
    rows: Iterable[tuple[int, Row]],
    read: Reader,
    converters: Sequence[Converter],
    observers: Sequence[Observer] = (),
) -> _Tally:
    """Check every row; where a target would get its bytes, for repeated keys as well."""
    diagnostics = Diagnostics()
    targets = [(TargetRules(converter), Extent()) for converter in converters]
    examples = 0
    with diagnostics.until_in_vain():
        for read_batch in batches(rows, read, diagnostics):
            for batch in encoded(read_batch, diagnostics) if observers or targets else [read_batch]:
                examples += len(batch.lines)
                show(observers, batch)
                if targets:
                    report_repeated_keys(batch, diagnostics)
                for rules, extent in targets:
                    _apply(rules, batch, extent, diagnostics)
    for rules, extent in targets:
        extent.with_images = rules.diagnostics.with_images
        diagnostics.take(rules.diagnostics)
    return _Tally(diagnostics.line, examples, [extent for _, extent in targets], diagnostics)


def _apply(rules: TargetRules, batch: Batch, extent: Extent, diagnostics: Diagnostics) -> None:
    """Apply one target's rules; what the target would get of the rows is added to its extent."""
    to_convert = rules.to_convert(batch)
    if len(to_convert) < len(batch.raws):
        raws: list[bytes] = batch.raws  # type: ignore[assignment]  # a canonical row is a line
        extent.size += sum(map(len, raws)) - sum(len(raws[index]) for index in to_convert)
    for index in to_convert:
        line, raw, example = batch.lines[index], batch.raws[index], batch.examples[index]
        row = rules.convert(line, example)
        if row is example and batch.canonical:
            extent.size += len(raw)  # type: ignore[arg-type]  # a canonical row is a line
        elif row is not None:
            try:
                extent.size += len(_encode(row)) + 1
            except Exception as unforeseen:
                with diagnostics.at(line):
                    report_unforeseen(unforeseen, diagnostics)


def _check_parts(
    path: Path,
    source: Source,
    converters: Sequence[Converter],
    observers: Sequence[Divisible],
    parts: Sequence[Range],
    workers: int,
) -> _Tally:
    check_part = partial(_check_part, part_reader(path, source), tuple(converters))
    tally = _Tally(0, 0, [Extent() for _ in converters], Diagnostics())
    copies = [[observer.part(number, len(parts)) for observer in observers] for number in range(len(parts))]
    with tally.diagnostics.until_in_vain():
        for part, seen in run_in_processes(check_part, workers, parts, copies):
            for observer, copy in zip(observers, seen, strict=True):
                observer.add(copy, tally.lines)
            tally.add(part)
            if part.diagnostics.in_vain:
                break
    return tally


def _check_part(
    file: PartReader, converters: Sequence[Converter], part: Range, observers: list[Divisible]
) -> tuple[_Tally, list[Divisible]]:
    with file.open(part) as (rows, read):
        return _check_rows(rows, read, converters, observers), observers
