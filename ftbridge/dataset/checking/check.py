"""Everything that is wrong with a dataset, by the canonical rules and by those of the targets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct

from ftbridge.dataset.canonical.repeated_keys import repeated_keys
from ftbridge.dataset.canonical.verbatim import verbatim
from ftbridge.dataset.checking.whole_file import Extent, check_whole_file, in_line_order
from ftbridge.dataset.converter import Converter
from ftbridge.dataset.counting.sample import TokenCount
from ftbridge.dataset.data_file import Data
from ftbridge.dataset.findings import Diagnostics, Finding, Omitted, omitted_of
from ftbridge.dataset.formats import FORMATS
from ftbridge.dataset.reading.lines import lines
from ftbridge.dataset.reading.observer import Observer, observe_file, show
from ftbridge.dataset.reading.opening import open_file
from ftbridge.dataset.reading.ranges import Range, byte_ranges, open_range, run_in_processes
from ftbridge.dataset.reading.rows import Read, Row, reader
from ftbridge.dataset.reading.source import Source, open_source
from ftbridge.dataset.target_rules import TargetRules
from ftbridge.dataset.unforeseen import report_unforeseen
from ftbridge.wording import counted


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
    workers: int = 1,
) -> Report:
    """Read all of `path` and report every problem, by line; `observers` see the valid examples in the same pass.

    Repeated JSON keys are searched for only where there are `converters`: to prove that there are none
    takes a third of the time of reading. With several `workers` an uncompressed file of lines is read by as many
    processes, with the same report; `observers`, which need all rows in order, then have the file read once more.
    Bad content never raises; `InputError` is for what cannot be opened or read at all.
    """
    with open_source(path, format) as source:
        if workers > 1 and source.divisible:
            tally = _in_parallel(Path(path), source, converters, workers)
            if observers:
                observe_file(path, observers, format=format)
        else:
            tally = _check_rows(source.rows, source.read, source.canonical, converters, observers)
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
        """Take in what is known of the rows that come next."""
        self.diagnostics.take(later.diagnostics, self.lines)
        self.lines += later.lines
        self.examples += later.examples
        for extent, more in zip(self.extents, later.extents, strict=True):
            extent.with_images += more.with_images
            extent.size += more.size


def _check_rows(
    rows: Iterable[tuple[int, Row]],
    read: Read,
    canonical: bool,
    converters: Sequence[Converter],
    observers: Sequence[Observer] = (),
) -> _Tally:
    """Check every row; where a target would get its bytes, for repeated keys as well."""
    diagnostics = Diagnostics()
    sent_as_is = canonical and bool(converters)
    encode = msgspec.json.Encoder().encode
    targets = [(TargetRules(converter), Extent()) for converter in converters]
    examples = 0
    with diagnostics.until_in_vain():
        for raw, example in read(rows, diagnostics):
            examples += 1
            try:
                if observers:
                    show(observers, diagnostics.line, example, encode(example))
                if sent_as_is and not verbatim(raw, example):  # type: ignore[arg-type]  # a canonical row is a line
                    repeated_keys(raw, diagnostics)  # type: ignore[arg-type]  # likewise
                for rules, extent in targets:
                    row = rules.convert(diagnostics.line, example)
                    if row is example and canonical:
                        extent.size += len(raw)  # type: ignore[arg-type]  # likewise
                    elif row is not None:
                        extent.size += len(encode(row)) + 1
            except Exception as unforeseen:
                report_unforeseen(unforeseen, diagnostics)
                examples -= 1
    for rules, extent in targets:
        extent.with_images = rules.diagnostics.with_images
        diagnostics.take(rules.diagnostics)
    return _Tally(diagnostics.line, examples, [extent for _, extent in targets], diagnostics)


def _in_parallel(path: Path, source: Source, converters: Sequence[Converter], workers: int) -> _Tally:
    ranges = byte_ranges(path, workers)
    check_range = partial(_check_range, path, source.format, source.detected_on, source.canonical, tuple(converters))
    tally = _Tally(0, 0, [Extent() for _ in converters], Diagnostics())
    for part in run_in_processes(check_range, workers, ranges):
        tally.add(part)
        if part.diagnostics.in_vain:
            break
    return tally


def _check_range(
    path: Path, name: str, detected_on: int, canonical: bool, converters: Sequence[Converter], part: Range
) -> _Tally:
    with open_file(path) as file:
        rows = lines(open_range(file, part), skip_bom=part.start == 0)
        return _check_rows(rows, reader(FORMATS[name], detected_on), canonical, converters)
