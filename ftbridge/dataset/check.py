"""Everything that is wrong with a dataset, by the canonical rules and by those of the targets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from ftbridge.dataset.converter import Converter
from ftbridge.dataset.example import SHAPE_OF, SHAPES, Example
from ftbridge.dataset.findings import Finding, Notes
from ftbridge.dataset.source import open_source


class Report(Struct, frozen=True):
    """What `check` found. `examples` are the sound ones; `why` says how the format was told."""

    file: str
    format: str
    why: str
    examples: int
    errors: int
    warnings: int
    findings: tuple[Finding, ...]


def check(path: str | Path, *, format: str | None = None, converters: Sequence[Converter] = ()) -> Report:  # noqa: A002  # the word of the CLI
    """Read all of `path` and report every problem, by line.

    Bad content never raises; `InputError` is for what cannot be opened or read at all.
    """
    notes = Notes()
    rules = [TargetRules(converter) for converter in converters]
    examples = 0
    with open_source(path, format) as source:
        read = source.read
        for notes.line, raw in source.rows:
            example = read(raw, notes)
            if example is not None:
                examples += 1
                for rule in rules:
                    rule.convert(notes.line, example)
    close(examples, notes, rules)
    findings = [*notes.findings, *(finding for rule in rules for finding in rule.notes.findings)]
    findings.sort(key=lambda finding: finding.line)
    errors = sum(finding.level == "error" for finding in findings)
    warnings = len(findings) - errors
    return Report(source.name, source.format, source.why, examples, errors, warnings, tuple(findings))


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


def close(examples: int, notes: Notes, rules: Sequence[TargetRules] = ()) -> None:
    """Add what can be said only at the end of the file."""
    notes.line = 0
    if not examples and not notes.errors:
        notes.error("$", "empty_file", "the file holds no examples", "Give one example per line.")
    for rule in rules:
        rule.notes.line = 0
        least = rule.converter.minimum_examples
        if examples < least:
            rule.notes.error(
                "$",
                "too_few_examples",
                f"the file holds {examples} sound examples, and {rule.notes.target} takes no fewer than {least}",
                f"Add at least {least - examples} more.",
            )
