"""From the user's file to the file that the provider takes, kept under the hash of its content."""

from __future__ import annotations

from pathlib import Path

from ftbridge.dataset import Conversion, Converter, Finding, Report, check, convert
from ftbridge.errors import DataError


def prepared_file(home: Path, key: str) -> Path:
    """Where the converted file with that content is kept until its job is over."""
    return home / "prepared" / f"{key}.jsonl"


def prepare(data: Path, converter: Converter, home: Path) -> tuple[str, list[str]]:
    """Check and convert `data`; the key of the converted file, and what has to be said about it.

    Raises `DataError` naming the first finding that forbids going on.
    """
    report = check(data, converters=[converter])
    if report.errors:
        raise _refusal(report)
    folder = home / "prepared"
    folder.mkdir(exist_ok=True)
    draft = folder / f"draft-{converter.target.replace('/', '_')}-{data.name}"
    conversion = convert(data, converter, draft)
    draft.replace(prepared_file(home, conversion.key))
    return conversion.key, [*_warnings(report), *_changes(conversion)]


def _refusal(report: Report) -> DataError:
    first = next(finding for finding in report.findings if finding.level == "error")
    others = f" and {report.errors - 1} more" if report.errors > 1 else ""
    return DataError(
        f"{report.file}, {place(first)}: {first.message}{others}",
        hint=f"{first.fix} `ftbridge check {report.file}` lists everything.",
        line=first.line,
        path=first.path,
    )


def place(finding: Finding) -> str:
    """Where a finding is, as a person says it."""
    line = f"line {finding.line}" if finding.line else "the file"
    return f"{line}, {finding.path}" if finding.path not in ("", "$") else line


def _warnings(report: Report) -> list[str]:
    said: dict[str, list[Finding]] = {}
    for finding in report.findings:
        said.setdefault(finding.code, []).append(finding)
    return [
        f"{place(found[0])}: {found[0].message}" + (f" ({len(found)} such rows)" if len(found) > 1 else "")
        for found in said.values()
    ]


def _changes(conversion: Conversion) -> list[str]:
    return [
        f"{code}: {count} rows changed, the first on line {first_line}"
        for code, (count, first_line) in conversion.changed.items()
    ]
