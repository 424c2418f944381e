"""From the user's file to the file that the provider accepts, stored under the hash of its content."""

from __future__ import annotations

import secrets
from collections import Counter
from pathlib import Path

from ftbridge.dataset import Conversion, Converter, Finding, Observer, TokenTally, convert
from ftbridge.dataset.data_file import Data
from ftbridge.dataset.reading.given import check_command
from ftbridge.errors import DataError
from ftbridge.files import make_folder, move
from ftbridge.foreign.names import plain_name
from ftbridge.home import usable
from ftbridge.model import Method, Spec
from ftbridge.wording import counted


def prepared_file(home: Path, key: str) -> Path:
    """The path of the converted file with that content hash, until its job is over."""
    return home / "prepared" / f"{plain_name(key)}.jsonl"


def prepare(
    data: Data,
    converter: Converter,
    spec: Spec,
    home: Path,
    *,
    observer: Observer,
    tokens: TokenTally | None,
) -> tuple[str, list[str]]:
    """Check and convert `data` in one pass; the key of the converted file, and warnings about it.

    `observer` sees the examples as they are read, and `tokens` counts them as they are sent.

    Raises `DataError` with the first finding that forbids going on.
    """
    folder = home / "prepared"
    with usable(home):
        make_folder(folder)
    draft = folder / f"draft-{secrets.token_hex(4)}.jsonl"
    conversion = convert(
        data,
        converter,
        draft,
        format=spec.format,
        observers=[observer],
        sent_observers=[tokens] if tokens else [],
        private=True,
    )
    if conversion.impossible:
        raise _refusal(data, _options(spec), conversion)
    with usable(home):
        move(draft, prepared_file(home, conversion.key))
    return conversion.key, [*_warnings(conversion), *_changes(conversion)]


def _options(spec: Spec) -> list[str]:
    """The options with which `check` applies the same rules."""
    options = [f"--to {spec.target}"]
    options += [f"--method {spec.method}"] if spec.method is not Method.SFT else []
    options += ["--grader FILE"] if spec.grader else []
    options += [f"--format {spec.format}"] if spec.format else []
    return options


def _refusal(data: Data, options: list[str], conversion: Conversion) -> DataError:
    first = next((one for one in conversion.impossible if one.line), conversion.impossible[0])  # a row before the file
    others = conversion.errors - 1
    return DataError(
        f"{data}, {position(first)}: {first.message}" + (f", and {counted(others, 'more error')}" if others else ""),
        hint=f"{first.fix} {check_command(data, *options)} lists everything.",
        line=first.line,
        path=first.path,
    )


def position(finding: Finding) -> str:
    """Where a finding is: its line and JSON path."""
    line = f"line {finding.line}" if finding.line else "the file"
    return f"{line}, {finding.path}" if finding.path not in ("", "$") else line


def describe(finding: Finding) -> str:
    """A finding as one sentence."""
    return f"{position(finding)}: {finding.message}" if finding.line else finding.message


def _warnings(conversion: Conversion) -> list[str]:
    first: dict[str, Finding] = {}
    counts = Counter({other.code: other.count for other in conversion.omitted if other.level == "warning"})
    for finding in conversion.warnings:
        first.setdefault(finding.code, finding)
        counts[finding.code] += 1
    return [describe(first[code]) + (f" ({counts[code]} such rows)" if counts[code] > 1 else "") for code in first]


def _changes(conversion: Conversion) -> list[str]:
    return [
        f"{code}: {count} rows changed, the first on line {first_line}"
        for code, (count, first_line) in conversion.changed.items()
    ]
