"""What is wrong with a dataset, and where."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

REPORTED_ONCE = frozenset({"key_not_read", "shape"})
"""Codes of findings that apply to the file as a whole, and are reported for the first row that shows them."""

_INDEX = re.compile(r"\[\d+\]")


class Finding(Struct, frozen=True, gc=False, omit_defaults=True):
    """One problem: on which line (from 1; 0 is the file as a whole), at which JSON path, what and what to do.

    `code` is a stable word for programs, `message` and `fix` are sentences for people: quotes from the data in them
    have been through `printable`. `target` is set where only that target's rules object.
    """

    line: int
    path: str
    level: Literal["error", "warning"]
    code: str
    message: str
    fix: str
    target: str = ""


class Diagnostics:
    """Where the rules for one example record what they find and what they change.

    One object serves a whole file: the reader advances `line`, so that rules stay pure functions of an example and
    never know where it came from.
    """

    def __init__(self, target: str = "") -> None:
        self.target = target
        self.line = 0
        self.errors = 0
        self.findings: list[Finding] = []
        self.changes: list[str] = []
        self.with_images = 0

    def error(self, path: str, code: str, message: str, fix: str) -> None:
        """The example cannot be used as it is."""
        self.errors += 1
        self.findings.append(Finding(self.line, path, "error", code, message, fix, self.target))

    def warning(self, path: str, code: str, message: str, fix: str) -> None:
        """The example can be used, but its owner should know."""
        self.findings.append(Finding(self.line, path, "warning", code, message, fix, self.target))

    def add(self, finding: Finding) -> None:
        """A finding that was made elsewhere."""
        self.errors += finding.level == "error"
        self.findings.append(finding)

    def changed(self, code: str) -> None:
        """The vendor's row says the same in another way, or less; `code` names the difference."""
        self.changes.append(code)


def report_once(findings: Iterable[Finding], reported: set[str] | None = None) -> list[Finding]:
    """The findings, those with codes in `REPORTED_ONCE` only where no equal one is in `reported`; these are added."""
    reported = set() if reported is None else reported
    kept = []
    for finding in findings:
        if finding.code in REPORTED_ONCE:
            topic = f"{finding.code} {finding.target} {_INDEX.sub('[]', finding.path)}"
            if topic in reported:
                continue
            reported.add(topic)
        kept.append(finding)
    return kept
