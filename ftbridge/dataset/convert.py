"""Writing a dataset as a target wants it."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from ftbridge.dataset.check import TargetRules, at_the_end, in_order
from ftbridge.dataset.converter import Converter
from ftbridge.dataset.findings import Finding, Notes
from ftbridge.dataset.source import open_source
from ftbridge.dataset.verbatim import verbatim
from ftbridge.dataset.whole import whole_file


class Conversion(Struct, frozen=True):
    """What became of a file.

    `exact` rows mean the same at the target; `changed` maps each code of a difference to how
    many rows have it and the first one's line. Where anything is `impossible` nothing was
    written. `key` is a hash of what was written, by which one upload is told from another.
    """

    out: Path
    target: str
    examples: int
    exact: int
    changed: dict[str, tuple[int, int]]
    impossible: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    key: str


def convert(path: str | Path, converter: Converter, out: str | Path, *, format: str | None = None) -> Conversion:  # noqa: A002  # the word of the CLI
    """Write the rows of `path` for `converter`'s target to `out`, whole or not at all.

    A row that the target takes as it stands is passed on as the same bytes. Raises
    `InputError` for what cannot be opened, read or written.
    """
    out = Path(out)
    notes, rules = Notes(), TargetRules(converter)
    codes = rules.notes.changes
    encode = msgspec.json.Encoder().encode
    changed: dict[str, tuple[int, int]] = {}
    examples = exact = 0
    with open_source(path, format) as source, whole_file(out) as file:
        write, passable = file.write, source.canonical
        for raw, example in source.examples(notes):
            examples += 1
            row = rules.convert(notes.line, example)
            if row is None:
                codes.clear()
                continue
            if row is not example or not passable or type(raw) is not bytes:
                write(encode(row) + b"\n")
            elif verbatim(raw, example):
                write(raw if raw.endswith(b"}\n") else raw.strip() + b"\n")
            else:
                codes.append("repeated_keys_removed")
                write(encode(row) + b"\n")
            if not codes:
                exact += 1
                continue
            for code in set(codes):
                count, first = changed.get(code, (0, notes.line))
                changed[code] = count + 1, first
            codes.clear()
        found = [*notes.findings, *rules.notes.findings]
        found = in_order([*found, *at_the_end(examples, found, [converter])])
        impossible = tuple(finding for finding in found if finding.level == "error")
        key = file.key()
        if not impossible:
            file.keep()
    warnings = tuple(finding for finding in found if finding.level == "warning")
    return Conversion(out, converter.target, examples, exact, changed, impossible, warnings, key)
