"""Writing a dataset as a target wants it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ftbridge.dataset.canonical.verbatim import verbatim
from ftbridge.dataset.checking.check import Extent, TargetRules, at_the_end, in_order
from ftbridge.dataset.converter import Converter
from ftbridge.dataset.findings import Diagnostics, Finding
from ftbridge.dataset.formats import FORMATS
from ftbridge.dataset.reading.lines import lines, opened
from ftbridge.dataset.reading.ranges import Range, byte_ranges, in_processes, within
from ftbridge.dataset.reading.rows import Read, Row, once, reader
from ftbridge.dataset.reading.source import Source, open_source
from ftbridge.dataset.writing.whole_file import whole_file
from ftbridge.errors import InputError

_PIECE = 2**18


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


def convert(
    path: str | Path,
    converter: Converter,
    out: str | Path,
    *,
    format: str | None = None,  # noqa: A002  # the word of the CLI
    workers: int = 1,
) -> Conversion:
    """Write the rows of `path` for `converter`'s target to `out`, whole or not at all.

    A row that the target takes as it stands is passed on as the same bytes. With several
    `workers` an unpacked file of lines is converted by as many processes, to the same bytes.
    Raises `InputError` for what cannot be opened, read or written.
    """
    out = Path(out)
    if out.exists() and str(path) != "-" and out.samefile(path):
        raise InputError(f"{path} would be written over by its own conversion", hint="Give another name to --out.")
    with open_source(path, format) as source, whole_file(out) as file:
        if workers > 1 and source.divisible:
            tally = _in_parallel(Path(path), source, converter, workers, out.parent, file.write)
        else:
            tally = _pass_on(source.rows, source.read, source.canonical, converter, file.write)
        extent = Extent(tally.with_images, file.buffer.tell())
        found = in_order([*tally.findings, *at_the_end(tally.examples, tally.findings, [converter], [extent])])
        impossible = tuple(finding for finding in found if finding.level == "error")
        key = file.key()
        if not impossible:
            file.keep()
    warnings = tuple(finding for finding in found if finding.level == "warning")
    return Conversion(out, converter.target, tally.examples, tally.exact, tally.changed, impossible, warnings, key)


class _Tally(Struct):
    """What became of some rows; `lines` is how many lines they were on."""

    lines: int
    examples: int
    exact: int
    with_images: int
    changed: dict[str, tuple[int, int]]
    findings: list[Finding]

    def add(self, later: _Tally) -> None:
        """Take in what became of the rows that come next."""
        for code, (count, first) in later.changed.items():
            earlier, line = self.changed.get(code, (0, first + self.lines))
            self.changed[code] = earlier + count, line
        self.findings += (replace(finding, line=finding.line + self.lines) for finding in later.findings)
        self.lines += later.lines
        self.examples += later.examples
        self.exact += later.exact
        self.with_images += later.with_images


def _pass_on(
    rows: Iterable[tuple[int, Row]], read: Read, canonical: bool, converter: Converter, write: Callable[[bytes], object]
) -> _Tally:
    """Write each row as the target wants it."""
    diagnostics, rules = Diagnostics(), TargetRules(converter)
    codes = rules.diagnostics.changes
    encode = msgspec.json.Encoder().encode
    changed: dict[str, tuple[int, int]] = {}
    examples = exact = 0
    for raw, example in read(rows, diagnostics):
        examples += 1
        row = rules.convert(diagnostics.line, example)
        if row is None:
            codes.clear()
            continue
        if row is not example or not canonical or type(raw) is not bytes:
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
            count, first = changed.get(code, (0, diagnostics.line))
            changed[code] = count + 1, first
        codes.clear()
    findings = [*diagnostics.findings, *rules.diagnostics.findings]
    return _Tally(diagnostics.line, examples, exact, rules.diagnostics.with_images, changed, findings)


def _in_parallel(
    path: Path, source: Source, converter: Converter, workers: int, folder: Path, write: Callable[[bytes], object]
) -> _Tally:
    spans = byte_ranges(path, workers)
    tally = _Tally(0, 0, 0, 0, {}, [])
    with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as beside:
        parts = [Path(beside) / str(number) for number in range(len(spans))]
        convert_part = partial(_convert_part, path, source.format, source.begun, source.canonical, converter)
        for part, done in zip(parts, in_processes(convert_part, workers, spans, parts), strict=True):
            tally.add(done)
            with part.open("rb") as written:
                for piece in iter(partial(written.read, _PIECE), b""):
                    write(piece)
            part.unlink()
    tally.findings = once(tally.findings)
    return tally


def _convert_part(
    path: Path, name: str, begun: int, canonical: bool, converter: Converter, span: Range, out: Path
) -> _Tally:
    with opened(path) as file, out.open("wb", buffering=_PIECE) as part:
        rows = lines(within(file, span), mark=span.start == 0)
        return _pass_on(rows, reader(FORMATS[name], begun), canonical, converter, part.write)
