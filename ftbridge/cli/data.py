"""The commands about datasets."""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated, Any

import typer

from ftbridge.cli.output import AsJson, Exit, open_bridge, print_json, show
from ftbridge.dataset import Finding, Report

_SHOWN = 3


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command()(check)


def check(
    data: Annotated[str, typer.Argument(help="The dataset.", show_default=False)],
    to: Annotated[list[str] | None, typer.Option("--to", help="Check by this target's rules too.")] = None,
    format: Annotated[str | None, typer.Option(help="Read it as this format, instead of detecting it.")] = None,  # noqa: A002 - the option's name
    as_json: AsJson = False,
) -> None:
    """Find what is wrong with a dataset: line, place, rule and what to do."""
    report = open_bridge().check(data, to or [], format=format)
    if as_json:
        print_json(report_document(report))
    else:
        print_report(report)
    raise Exit(1 if report.errors else 0)


def report_document(report: Report) -> dict[str, Any]:
    """The report as `--json` prints it."""
    return {
        "file": report.file,
        "format": report.format,
        "examples": report.examples,
        "errors": report.errors,
        "warnings": report.warnings,
        "findings": [finding_document(finding) for finding in report.findings],
    }


def finding_document(finding: Finding) -> dict[str, Any]:
    """One finding as `--json` prints it; `target` only where one target's rules object."""
    names = ("line", "path", "level", "code", "message", "fix", "target")
    return {name: getattr(finding, name) for name in names if name != "target" or finding.target}


def print_report(report: Report) -> None:
    """The report for people: one paragraph per rule, with how often and the first lines."""
    groups: dict[tuple[str, str, str], list[Finding]] = defaultdict(list)
    for finding in report.findings:
        groups[finding.level, finding.code, finding.target].append(finding)
    for (level, code, target), found in sorted(groups.items()):
        style = "bold red" if level == "error" else "bold yellow"
        show(f"{level}: {code}" + (f" ({target})" if target else "") + f", {_times(len(found))}", style=style)
        for finding in found[:_SHOWN]:
            where = f"line {finding.line}" if finding.line else "file"
            show(f"  {where}" + (f", {finding.path}" if finding.path not in ("", "$") else "") + f": {finding.message}")
        if len(found) > _SHOWN:
            show(f"  and {_lines(found[_SHOWN:])}")
        show(f"  → {found[0].fix}")
    verdict = "ok" if not report.errors else "not ready"
    show(
        f"{report.file}: {verdict}: {report.examples:,} examples ({report.format}), "
        f"{report.errors:,} errors, {report.warnings:,} warnings"
    )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _lines(found: list[Finding]) -> str:
    named = ", ".join(str(finding.line) for finding in found[:8])
    return f"lines {named}" + (f" and {len(found) - 8:,} more" if len(found) > 8 else "")
