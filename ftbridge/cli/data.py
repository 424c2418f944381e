"""The commands about datasets."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from ftbridge.cli.output import AsJson, Exit, console, open_bridge, print_json, show, table
from ftbridge.dataset import Conversion, Finding, Part, Report, TokenCount
from ftbridge.dataset import prepare as prepare_files
from ftbridge.dataset.findings import REPORTED_ONCE
from ftbridge.errors import UsageError
from ftbridge.wording import counted

Data = Annotated[str, typer.Argument(help="The dataset; - is standard input.", show_default=False)]
Format = Annotated[str | None, typer.Option(help="Read it as this format, instead of detecting it.")]
Method = Annotated[str, typer.Option(help="What the rows are to train: sft, dpo or rft.")]
Grader = Annotated[Path | None, typer.Option(help="For rft: look for what this JSON file's grader reads of each row.")]
_SHOWN = 3  # lines under one hint, or hints under one rule


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    for command in (check, prepare, convert):
        app.command()(command)


def check(
    data: Data,
    to: Annotated[
        list[str] | None,
        typer.Option("--to", help="Check by this target's rules too, and for JSON keys that come twice."),
    ] = None,
    validation: Annotated[str | None, typer.Option(help="Look for examples that are in this file as well.")] = None,
    near: Annotated[bool, typer.Option("--near", help="Look for near duplicates as well.")] = False,
    vocab: Annotated[Path | None, typer.Option(help="The vocabulary to count tokens by.")] = None,
    method: Method = "sft",
    grader: Grader = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes to read with.")] = 1,
    exact: Annotated[bool, typer.Option("--exact", help="Count every token, instead of a sample's.")] = False,
    format: Format = None,  # noqa: A002 - the option's name
    as_json: AsJson = False,
) -> None:
    """Find what is wrong with a dataset: line, place, rule and what to do."""
    if vocab and not to:
        raise UsageError(
            "--vocab is what tokens are counted by, which depends on the target", hint="Give --to as well."
        )
    bridge = open_bridge()
    report = bridge.check(
        data,
        to or [],
        validation=validation,
        near_duplicates=near,
        tokens=True,
        exact=exact,
        vocabulary=vocab,
        workers=workers,
        method=method,
        grader=grader,
        format=format,
    )
    if as_json:
        print_json(report_document(report))
    else:
        print_report(report)
        for target, count in report.tokens.items():
            show(f"{target}: {_tokens(count)}")
    raise Exit(1 if report.errors else 0)


def prepare(
    data: Data,
    out: Annotated[Path, typer.Option(help="The folder for train.jsonl, validation.jsonl and report.json.")],
    dedupe: Annotated[str, typer.Option(help="exact, near or none.")] = "exact",
    validation: Annotated[float, typer.Option(help="The share of examples that is held out.")] = 0.1,
    seed: Annotated[int, typer.Option(help="The same seed divides and shuffles in the same way.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes to read with.")] = 1,
    format: Format = None,  # noqa: A002 - the option's name
    as_json: AsJson = False,
) -> None:
    """Leave out broken rows and duplicates, divide into training and validation, shuffle."""
    if dedupe not in ("exact", "near", "none"):
        raise UsageError(f"--dedupe {dedupe} is not known", hint="It is exact, near or none.")
    _check_named(out)
    options: Any = {"dedupe": dedupe, "validation": validation, "seed": seed, "format": format}
    made = prepare_files(data, out, **options, workers=workers)
    if as_json:
        parts = {"train": _part(made.train), "validation": _part(made.validation) if made.validation else None}
        print_json({**parts, "dropped": made.dropped})
        return
    for part in (made.train, made.validation):
        if part:
            show(f"{part.path}: {counted(part.examples, 'example')}")
    if made.dropped:
        show(f"left out: {counted(sum(made.dropped.values()), 'row')}")
    print_findings(made.findings)


def convert(
    data: Data,
    to: Annotated[str, typer.Option("--to", help="The target.")],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    workers: Annotated[int, typer.Option(min=1, help="Processes to convert with.")] = 1,
    method: Method = "sft",
    grader: Grader = None,
    format: Format = None,  # noqa: A002 - the option's name
    as_json: AsJson = False,
) -> None:
    """Write a dataset as a target wants it, and say what changed."""
    _check_named(out)
    made = open_bridge().convert(data, to, out, method=method, grader=grader, format=format, workers=workers)
    if as_json:
        print_json(_conversion_document(made, to))
    else:
        _print_conversion(made, to)
    raise Exit(1 if made.impossible else 0)


def _check_named(out: Path) -> None:
    """What is written appears whole or not at all, which standard output cannot promise."""
    if str(out) == "-":
        raise UsageError(
            "--out - is no place: standard output cannot be written whole or not at all",
            hint="Name a file, or, for prepare, a folder.",
        )


def report_document(report: Report) -> dict[str, Any]:
    """The report as `--json` prints it."""
    return {
        "file": report.file,
        "format": report.format,
        "why": report.why,
        "examples": report.examples,
        "errors": report.errors,
        "warnings": report.warnings,
        "tokens": [
            {
                "target": target,
                "tokens": count.tokens,
                "error": round(count.error, 4),
                "counter": count.counter,
                "without_images": count.without_images,
            }
            for target, count in report.tokens.items()
        ],
        "findings": [finding_document(finding) for finding in report.findings],
    }


def finding_document(finding: Finding) -> dict[str, Any]:
    """One finding as `--json` prints it; `target` only where one target's rules object."""
    names = ("line", "path", "level", "code", "message", "fix", "target")
    return {name: getattr(finding, name) for name in names if name != "target" or finding.target}


def print_report(report: Report) -> None:
    """The report for people: one paragraph per rule, with how often and the first lines."""
    print_findings(report.findings)
    verdict = "ok" if not report.errors else "not ready"
    told = "format unknown" if report.format == "unknown" else f"{report.format}: {report.why}"
    show(
        f"{report.file}: {verdict}: {counted(report.examples, 'example')} ({told}), "
        f"{counted(report.errors, 'error')}, {counted(report.warnings, 'warning')}"
    )


def print_findings(findings: tuple[Finding, ...]) -> None:
    """Errors first, each rule once, with its first lines and what to do."""
    groups: dict[tuple[str, str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding.level, finding.code, finding.target].append(finding)
    for (level, code, target), found in sorted(groups.items()):
        style = "bold red" if level == "error" else "bold yellow"
        times = "told once for the file" if code in REPORTED_ONCE else _times(len(found))
        show(f"{level}: {code}" + (f" ({target})" if target else "") + f", {times}", style=style)
        fixes: dict[str, list[Finding]] = defaultdict(list)
        for finding in found:
            fixes[finding.fix].append(finding)
        for fix, alike in islice(fixes.items(), _SHOWN):
            _print_alike(alike, _SHOWN if len(fixes) == 1 else 1)
            show(f"  → {fix}")
        if others := [finding for alike in islice(fixes.values(), _SHOWN, None) for finding in alike]:
            show(f"  and {len(others):,} more with hints of their own, on {_lines(others)}")


def _print_alike(found: list[Finding], most: int) -> None:
    """What one hint goes for: the first ones whole, of the others the lines."""
    for finding in found[:most]:
        where = f"line {finding.line}" if finding.line else "file"
        show(f"  {where}" + (f", {finding.path}" if finding.path not in ("", "$") else "") + f": {finding.message}")
    if len(found) > most:
        show(f"  and {_lines(found[most:])}")


def _conversion_document(made: Conversion, to: str) -> dict[str, Any]:
    return {
        "out": None if made.impossible else str(made.out),
        "target": to,
        "exact": made.exact,
        "changed": {code: {"count": count, "first_line": line} for code, (count, line) in made.changed.items()},
        "impossible": [finding_document(finding) for finding in made.impossible],
    }


def _print_conversion(made: Conversion, to: str) -> None:
    print_findings((*made.impossible, *made.warnings))
    if made.changed:
        rows = [[code, f"{count:,}", f"{line}"] for code, (count, line) in made.changed.items()]
        console().print(table(["changed", "rows", "first line"], rows, right=(1, 2)))
    if made.impossible:
        show(f"nothing was written for {to}: {counted(len(made.impossible), 'error')}")
    else:
        show(f"{made.out}: {counted(made.examples, 'row')} for {to}, {made.exact:,} of them with the same meaning")


def _part(part: Part) -> dict[str, Any]:
    return {"path": str(part.path), "examples": part.examples}


def _tokens(count: TokenCount) -> str:
    without = f"; the images of {counted(count.without_images, 'example')} are not counted"
    more = without if count.without_images else ""
    if count.error < 0.0005:
        return f"{count.tokens:,} tokens, counted by {count.counter}{more}"
    if count.error >= 0.1:
        more += "; --vocab FILE, the model's own vocabulary, comes nearer"
    return f"about {count.tokens:,} tokens (± {count.error:.1%}), estimated by {count.counter}{more}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _lines(found: list[Finding]) -> str:
    named = ", ".join(str(finding.line) for finding in found[:8])
    lines = "line" if len(found) == 1 else "lines"
    return f"{lines} {named}" + (f" and {len(found) - 8:,} more" if len(found) > 8 else "")
