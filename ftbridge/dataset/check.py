"""Everything that is wrong with a dataset, by the canonical rules and by those of the targets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from operator import attrgetter
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from ftbridge.dataset.converter import Converter
from ftbridge.dataset.example import SHAPE_OF, SHAPES, Example
from ftbridge.dataset.findings import Finding, Notes
from ftbridge.dataset.formats import FORMATS
from ftbridge.dataset.lines import lines, opened
from ftbridge.dataset.ranges import Range, byte_ranges, in_processes, within
from ftbridge.dataset.reader import Read, Row, once, reader
from ftbridge.dataset.source import Source, open_source


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

    With several `workers` an unpacked file of lines is read by as many processes, and the
    report is the same. Bad content never raises; `InputError` is for what cannot be opened or
    read at all.
    """
    with open_source(path, format) as source:
        if workers > 1 and source.divisible:
            examples, findings = _in_parallel(Path(path), source, converters, workers)
        else:
            _, examples, findings = look(source.rows, source.read, converters)
    findings = in_order([*findings, *at_the_end(examples, findings, converters)])
    errors = sum(finding.level == "error" for finding in findings)
    warnings = len(findings) - errors
    return Report(source.name, source.format, source.why, examples, errors, warnings, tuple(findings))


def look(
    rows: Iterable[tuple[int, Row]], read: Read, converters: Sequence[Converter]
) -> tuple[int, int, list[Finding]]:
    """Look at every row: the last line's number, how many examples are sound, and what was found."""
    notes = Notes()
    rules = [TargetRules(converter) for converter in converters]
    examples = 0
    for _, example in read(rows, notes):
        examples += 1
        for rule in rules:
            rule.convert(notes.line, example)
    return notes.line, examples, [*notes.findings, *(finding for rule in rules for finding in rule.notes.findings)]


def _in_parallel(
    path: Path, source: Source, converters: Sequence[Converter], workers: int
) -> tuple[int, list[Finding]]:
    spans = byte_ranges(path, workers)
    look_at = partial(_look_at, path, source.format, source.begun, tuple(converters))
    examples, before = 0, 0
    findings: list[Finding] = []
    for lines_, sound, found in in_processes(look_at, workers, spans):
        findings += (replace(finding, line=finding.line + before) for finding in found)
        examples, before = examples + sound, before + lines_
    return examples, once(findings)


def _look_at(
    path: Path, name: str, begun: int, converters: Sequence[Converter], span: Range
) -> tuple[int, int, list[Finding]]:
    with opened(path) as file:
        rows = lines(within(file, span), mark=span.start == 0)
        return look(rows, reader(FORMATS[name], begun), converters)


class TargetRules:
    """One target's converter at work on a file, with the notes it makes."""

    def __init__(self, converter: Converter) -> None:
        self.converter = converter
        self.notes = Notes(converter.target)
        self._convert = converter.convert
        self._kinds = {SHAPES[shape] for shape in converter.shapes}
        self._refused: set[type[Example]] = set()

    def convert(self, line: int, example: Example) -> object:
        """The target's row for the example on `line`; None, and why in the notes, where it has none."""
        notes = self.notes
        notes.line = line
        if type(example) not in self._kinds:
            self._refuse(type(example))
            return None
        before = notes.errors
        row = self._convert(example, notes)
        return row if notes.errors == before else None

    def _refuse(self, kind: type[Example]) -> None:
        """Say once for the file that the target does not train on such examples."""
        if kind not in self._refused:
            self._refused.add(kind)
            said = f"{self.notes.target} does not train on {SHAPE_OF[kind]} rows"
            takes = " or ".join(sorted(self.converter.shapes))
            self.notes.error("$", "shape", said, f"With this method it takes {takes}.")


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """The findings by line, without the warnings about a place where a target refuses the row anyway."""
    refused = {(finding.line, finding.path) for finding in findings if finding.target and finding.level == "error"}
    kept = [
        finding
        for finding in findings
        if finding.target or finding.level == "error" or (finding.line, finding.path) not in refused
    ]
    return sorted(kept, key=attrgetter("line"))


def at_the_end(examples: int, findings: Sequence[Finding], converters: Sequence[Converter]) -> list[Finding]:
    """What can be said only of the whole file, on line 0."""
    notes = Notes()
    if not examples and not any(finding.level == "error" for finding in findings):
        notes.error("$", "empty_file", "the file holds no examples", "Give one example per line.")
    for converter in converters:
        least = converter.minimum_examples
        if examples < least:
            notes.target = converter.target
            said = f"the file holds {examples} sound examples, and {notes.target} takes no fewer than {least}"
            notes.error("$", "too_few_examples", said, f"Add at least {least - examples} more.")
    return notes.findings
