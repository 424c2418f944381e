"""Everything that is wrong with a dataset, by the canonical rules and by those of the targets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from operator import attrgetter
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ftbridge.dataset.canonical.example import SHAPE_OF, SHAPES, Example, Shape
from ftbridge.dataset.canonical.repeated_keys import repeated_keys
from ftbridge.dataset.canonical.verbatim import verbatim
from ftbridge.dataset.converter import Converter
from ftbridge.dataset.findings import Diagnostics, Finding
from ftbridge.dataset.formats import FORMATS
from ftbridge.dataset.reading.lines import lines, opened
from ftbridge.dataset.reading.ranges import Range, byte_ranges, in_processes, within
from ftbridge.dataset.reading.rows import Read, Row, once, reader
from ftbridge.dataset.reading.source import Source, open_source

_METHODS: dict[Shape, str] = {"chat": "sft", "text": "sft", "preference": "dpo", "task": "rft"}


class Report(Struct, frozen=True):
    """What `check` found. `examples` are the sound ones; `why` says how the format was told."""

    file: str
    format: str
    why: str
    examples: int
    errors: int
    warnings: int
    findings: tuple[Finding, ...]


def check(
    path: str | Path,
    *,
    format: str | None = None,  # noqa: A002  # the word of the CLI
    converters: Sequence[Converter] = (),
    workers: int = 1,
) -> Report:
    """Read all of `path` and report every problem, by line.

    That a JSON key comes twice in a row is looked for only where there are `converters`: the proof
    that none does takes a third of the time of reading. With several `workers` an unpacked file of
    lines is read by as many processes, and the report is the same. Bad content never raises;
    `InputError` is for what cannot be opened or read at all.
    """
    with open_source(path, format) as source:
        if workers > 1 and source.divisible:
            seen = _in_parallel(Path(path), source, converters, workers)
        else:
            seen = _look(source.rows, source.read, source.canonical, converters)
    findings = in_order([*seen.findings, *at_the_end(seen.examples, seen.findings, converters, seen.extents)])
    errors = sum(finding.level == "error" for finding in findings)
    warnings = len(findings) - errors
    return Report(source.name, source.format, source.why, seen.examples, errors, warnings, tuple(findings))


class Extent(Struct):
    """How much there is for one target: rows with images, and bytes as they are sent."""

    with_images: int = 0
    size: int = 0


class _Seen(Struct):
    """What some rows are: the lines they are on, the sound ones, how much these are for each target, and the rest."""

    lines: int
    examples: int
    extents: list[Extent]
    findings: list[Finding]

    def add(self, later: _Seen) -> None:
        """Take in what was seen of the rows that come next."""
        self.findings += (replace(finding, line=finding.line + self.lines) for finding in later.findings)
        self.lines += later.lines
        self.examples += later.examples
        for mine, more in zip(self.extents, later.extents, strict=True):
            mine.with_images += more.with_images
            mine.size += more.size


def _look(rows: Iterable[tuple[int, Row]], read: Read, canonical: bool, converters: Sequence[Converter]) -> _Seen:
    """Look at every row; where a target would have its bytes, for keys that come twice in it as well."""
    diagnostics = Diagnostics()
    sent = canonical and bool(converters)
    encode = msgspec.json.Encoder().encode
    targets = [(TargetRules(converter), Extent()) for converter in converters]
    examples = 0
    for raw, example in read(rows, diagnostics):
        examples += 1
        if sent and not verbatim(raw, example):  # type: ignore[arg-type]  # a canonical row is a line
            repeated_keys(raw, diagnostics)  # type: ignore[arg-type]  # likewise
        for rules, extent in targets:
            row = rules.convert(diagnostics.line, example)
            if row is example and canonical:
                extent.size += len(raw)  # type: ignore[arg-type]  # likewise
            elif row is not None:
                extent.size += len(encode(row)) + 1
    findings = diagnostics.findings
    for rules, extent in targets:
        extent.with_images = rules.diagnostics.with_images
        findings += rules.diagnostics.findings
    return _Seen(diagnostics.line, examples, [extent for _, extent in targets], findings)


def _in_parallel(path: Path, source: Source, converters: Sequence[Converter], workers: int) -> _Seen:
    spans = byte_ranges(path, workers)
    look_at = partial(_look_at, path, source.format, source.begun, source.canonical, tuple(converters))
    seen = _Seen(0, 0, [Extent() for _ in converters], [])
    for part in in_processes(look_at, workers, spans):
        seen.add(part)
    seen.findings = once(seen.findings)
    return seen


def _look_at(path: Path, name: str, begun: int, canonical: bool, converters: Sequence[Converter], span: Range) -> _Seen:
    with opened(path) as file:
        rows = lines(within(file, span), mark=span.start == 0)
        return _look(rows, reader(FORMATS[name], begun), canonical, converters)


class TargetRules:
    """One target's converter at work on a file, with the diagnostics it makes."""

    def __init__(self, converter: Converter) -> None:
        self.converter = converter
        self.diagnostics = Diagnostics(converter.target)
        self._convert = converter.convert
        self._kinds = {SHAPES[shape] for shape in converter.shapes}
        self._refused: set[type[Example]] = set()

    def convert(self, line: int, example: Example) -> object:
        """The target's row for the example on `line`; None, and why in the diagnostics, where it has none."""
        diagnostics = self.diagnostics
        diagnostics.line = line
        if type(example) not in self._kinds:
            self._refuse(type(example))
            return None
        before = diagnostics.errors
        row = self._convert(example, diagnostics)
        return row if diagnostics.errors == before else None

    def _refuse(self, kind: type[Example]) -> None:
        """Say once for the file that the target does not train on such examples."""
        if kind not in self._refused:
            self._refused.add(kind)
            shape = SHAPE_OF[kind]
            said = (
                f"{self.diagnostics.target} does not train on {shape} rows by this method, and the file has no others"
            )
            takes = " or ".join(sorted(self.converter.shapes))
            fix = f"By this method it takes {takes} rows; those of shape {shape} are for --method {_METHODS[shape]}."
            self.diagnostics.error("$", "shape", said, fix)


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """The findings by line, without the warnings about a place where a target refuses the row anyway."""
    refused = {(finding.line, finding.path) for finding in findings if finding.target and finding.level == "error"}
    kept = [
        finding
        for finding in findings
        if finding.target or finding.level == "error" or (finding.line, finding.path) not in refused
    ]
    return sorted(kept, key=attrgetter("line"))


def at_the_end(
    examples: int, findings: Sequence[Finding], converters: Sequence[Converter], extents: Sequence[Extent]
) -> list[Finding]:
    """What can be said only of the whole file, on line 0."""
    diagnostics = Diagnostics()
    if not examples and not any(finding.level == "error" for finding in findings):
        diagnostics.error("$", "empty_file", "there are no examples in it", "Give one example per line.")
    for converter, extent in zip(converters, extents, strict=True):
        diagnostics.target = target = converter.target
        limits = converter.limits
        least, most = limits.fewest_examples, limits.most_with_images
        if examples < least:
            said = f"the number of sound examples is {examples}, and {target} takes no fewer than {least}"
            diagnostics.error("$", "too_few_examples", said, f"Add at least {least - examples} more.")
        if most is not None and extent.with_images > most:
            number = f"the number of examples with images is {extent.with_images:,}"
            said = f"{number}, and {target} takes no more than {most:,}"
            diagnostics.error("$", "too_many_with_images", said, f"Leave out {extent.with_images - most:,} of them.")
        if limits.most_bytes is not None and extent.size > limits.most_bytes:
            size = f"as it would be sent it has {extent.size:,} bytes"
            said = f"{size}, and {target} takes no more than {limits.most_bytes:,}"
            diagnostics.error("$", "file_too_large", said, "Leave rows out, or shorten them.")
    return diagnostics.findings
