"""Findings as the commands print them: a paragraph per rule for people, a document each for programs."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from typing import Any

import msgspec

from ftbridge.cli.output import print_line
from ftbridge.dataset import Finding, Omitted
from ftbridge.dataset.findings import REPORTED_ONCE, Level

_MOST_SHOWN = 3  # lines under one hint, or hints under one rule
_MOST_LINES = 8  # numbers of lines in one list of them


def omitted_document(omitted: tuple[Omitted, ...]) -> list[dict[str, Any]]:
    """The rules of which not all findings are listed, as `--json` prints them."""
    return [msgspec.to_builtins(other) for other in omitted]


def finding_document(finding: Finding) -> dict[str, Any]:
    """One finding as `--json` prints it: with `target` where the rule is one target's, `times` where it is counted."""
    names = ["line", "path", "level", "code", "message", "fix"]
    names += [*["target"] * bool(finding.target), *["times"] * (finding.times > 1)]
    return {name: getattr(finding, name) for name in names}


def print_findings(findings: tuple[Finding, ...], omitted: tuple[Omitted, ...] = ()) -> None:
    """Errors first, a paragraph per rule, with its first lines and what to do."""
    more = {(other.level, other.code, other.target): other.count for other in omitted}
    groups: dict[tuple[Level, str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding.level, finding.code, finding.target].append(finding)
    for (level, code, target), members in sorted(groups.items()):
        style = "bold red" if level == "error" else "bold yellow"
        unlisted = more.get((level, code, target), 0)
        times = "reported once for the file" if code in REPORTED_ONCE else _times(len(members) + unlisted)
        print_line(f"{level}: {code}" + (f" ({target})" if target else "") + f", {times}", style=style)
        fixes: dict[str, list[Finding]] = defaultdict(list)
        for finding in members:
            fixes[finding.fix].append(finding)
        for fix, alike in islice(fixes.items(), _MOST_SHOWN):
            _print_alike(alike, _MOST_SHOWN if len(fixes) == 1 else 1)
            print_line(f"  → {fix}")
        if others := [finding for alike in islice(fixes.values(), _MOST_SHOWN, None) for finding in alike]:
            print_line(f"  and {len(others):,} more with other hints, on {_lines(others)}")
        if unlisted:
            print_line(f"  and {unlisted:,} more, which are counted and not listed")


def _print_alike(findings: list[Finding], most: int) -> None:
    """The findings that share a hint: the first ones in full, of the others the line numbers."""
    for finding in findings[:most]:
        where = f"line {finding.line}" if finding.line else "file"
        path = f", {finding.path}" if finding.path not in ("", "$") else ""
        times = f" ({_times(finding.times)})" if finding.times > 1 else ""
        print_line(f"  {where}{path}: {finding.message}{times}")
    if len(findings) > most:
        print_line(f"  and {_lines(findings[most:])}")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _lines(findings: list[Finding]) -> str:
    named = ", ".join(str(finding.line) for finding in findings[:_MOST_LINES])
    more = len(findings) - _MOST_LINES
    return f"{'line' if len(findings) == 1 else 'lines'} {named}" + (f" and {more:,} more" if more > 0 else "")
