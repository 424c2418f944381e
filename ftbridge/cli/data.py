"""`check`, `prepare` and `convert`: the commands for datasets."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from ftbridge.cli.columns import Columns
from ftbridge.cli.output import AsJson, Exit, console, open_context, print_json, print_line, table
from ftbridge.dataset import Conversion, Finding, Omitted, Part, Report, TokenCount
from ftbridge.dataset import prepare as prepare_files
from ftbridge.dataset.data_file import data_file, parse_columns
from ftbridge.dataset.findings import REPORTED_ONCE, Level
from ftbridge.errors import UsageError
from ftbridge.foreign.paths import path_text
from ftbridge.wording import counted, did_you_mean, printable

Data = Annotated[str, typer.Argument(help="The dataset; - is standard input.", show_default=False)]
Format = Annotated[str | None, typer.Option(help="The format of the dataset, instead of detecting it.")]
Method = Annotated[str, typer.Option(help="The training method that the rows are for: sft, dpo or rft.")]
Grader = Annotated[
    Path | None, typer.Option(help="For rft: a JSON file with the grader; check that each row has the fields it reads.")
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1, help="The number of processes; default: one, from 64 MB on as many as cores.", show_default=False
    ),
]
_DEDUPE = ("exact", "near", "none")
_MOST_SHOWN = 3  # lines under one hint, or hints under one rule
_MOST_LINES = 8  # numbers of lines in one list of them


def register(app: typer.Typer, group: str) -> None:
    """Add the commands to a group of the app."""
    for command in (check, prepare, convert):
        app.command(rich_help_panel=group)(command)


def check(
    data: Data,
    to: Annotated[
        list[str] | None,
        typer.Option("--to", help="Also apply this target's rules, and find repeated JSON keys; can be repeated."),
    ] = None,
    validation: Annotated[
        str | None, typer.Option(help="Also find examples that are in this validation file too.")
    ] = None,
    near_duplicates: Annotated[
        bool, typer.Option("--near-duplicates", help="Also find examples that are nearly equal.")
    ] = False,
    tokenizer: Annotated[
        Path | None, typer.Option(help="Count tokens with this vocabulary: a tokenizer.json or .tiktoken file.")
    ] = None,
    method: Method = "sft",
    grader: Grader = None,
    no_advice: Annotated[
        bool, typer.Option("--no-advice", help="Only rules for single rows: no duplicates, secrets or other advice.")
    ] = False,
    workers: Workers = None,
    exact: Annotated[bool, typer.Option("--exact", help="Count the tokens of all examples, not of a sample.")] = False,
    format: Format = None,  # noqa: A002 - the option's name
    map: Columns = None,  # noqa: A002 - likewise
    as_json: AsJson = False,
) -> None:
    """Find the problems of a dataset, each with its line, its JSON path, and what to do."""
    if no_advice and (validation or near_duplicates):
        raise UsageError("--validation and --near-duplicates are advice", hint="Leave --no-advice out.")
    if tokenizer and not to:
        raise UsageError("--tokenizer needs a target, for which the tokens are counted", hint="Give --to as well.")
    from ftbridge.data import check as check_data

    report = check_data(
        open_context(),
        data,
        to or [],
        validation=validation,
        near_duplicates=near_duplicates,
        tokens=True,
        exact=exact,
        vocabulary=tokenizer,
        advice=not no_advice,
        workers=workers,
        method=method,
        grader=grader,
        format=format,
        map=parse_columns(map or ()),
    )
    if as_json:
        print_json(report_document(report))
    else:
        print_report(report)
        for target, count in report.tokens.items():
            print_line(f"{target}: {_tokens(count)}")
    raise Exit(1 if report.errors else 0)


def prepare(
    data: Data,
    out: Annotated[Path, typer.Option(help="The folder for train.jsonl, validation.jsonl and report.json.")],
    dedupe: Annotated[str, typer.Option(help="Which duplicates to drop: exact, near or none.")] = "exact",
    validation_split: Annotated[float, typer.Option(help="The share of the examples for validation, 0 to 1.")] = 0.1,
    seed: Annotated[int, typer.Option(help="The seed of the split and of the shuffling.")] = 0,
    workers: Workers = None,
    format: Format = None,  # noqa: A002 - the option's name
    map: Columns = None,  # noqa: A002 - likewise
    as_json: AsJson = False,
) -> None:
    """Drop invalid rows and duplicates, split off a validation file, and shuffle."""
    if dedupe not in _DEDUPE:
        what = f"--dedupe {printable(dedupe)} is not one of {', '.join(_DEDUPE)}"
        raise UsageError(what, hint=f"{did_you_mean(dedupe, _DEDUPE)}Give one of these.")
    _refuse_stdout(out)
    options: Any = {"dedupe": dedupe, "validation": validation_split, "seed": seed, "format": format}
    made = prepare_files(data_file(data, parse_columns(map or ())), out, **options, workers=workers)
    if as_json:
        parts = {"train": _part(made.train), "validation": _part(made.validation) if made.validation else None}
        print_json({**parts, "dropped": made.dropped})
        return
    for part in (made.train, made.validation):
        if part:
            print_line(f"{part.path}: {counted(part.examples, 'example')}")
    if made.dropped:
        print_line(f"dropped: {counted(sum(made.dropped.values()), 'row')}")
    print_findings(made.findings, made.omitted)


def convert(
    data: Data,
    to: Annotated[str, typer.Option("--to", help="The target.")],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    workers: Workers = None,
    method: Method = "sft",
    grader: Grader = None,
    format: Format = None,  # noqa: A002 - the option's name
    map: Columns = None,  # noqa: A002 - likewise
    as_json: AsJson = False,
) -> None:
    """Write a dataset in the format of a target, and report what changed."""
    _refuse_stdout(out)
    from ftbridge.data import convert as convert_data

    columns = parse_columns(map or ())
    made = convert_data(
        open_context(), data, to, out, method=method, grader=grader, format=format, map=columns, workers=workers
    )
    if as_json:
        print_json(_conversion_document(made, to))
    else:
        _print_conversion(made, to)
    raise Exit(1 if made.impossible else 0)


def _refuse_stdout(out: Path) -> None:
    """Raises `UsageError`: what is written appears completely or not at all, which standard output cannot do."""
    if str(out) == "-":
        raise UsageError(
            "--out cannot be standard output, because the result is written completely or not at all",
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
        "omitted": omitted_document(report.omitted),
    }


def omitted_document(omitted: tuple[Omitted, ...]) -> list[dict[str, Any]]:
    """The rules of which not all findings are listed, as `--json` prints them."""
    return [msgspec.to_builtins(other) for other in omitted]


def finding_document(finding: Finding) -> dict[str, Any]:
    """One finding as `--json` prints it, with `target` where the rule is one target's."""
    names = ("line", "path", "level", "code", "message", "fix", "target")
    return {name: getattr(finding, name) for name in names if name != "target" or finding.target}


def print_report(report: Report) -> None:
    """The report for people: a paragraph per rule, with the number of findings and the first lines."""
    print_findings(report.findings, report.omitted)
    verdict = "ok" if not report.errors else "not ready"
    detected = "format unknown" if report.format == "unknown" else f"{report.format}: {report.why}"
    print_line(
        f"{report.file}: {verdict}: {counted(report.examples, 'example')} ({detected}), "
        f"{counted(report.errors, 'error')}, {counted(report.warnings, 'warning')}"
    )


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
        print_line(
            f"  {where}" + (f", {finding.path}" if finding.path not in ("", "$") else "") + f": {finding.message}"
        )
    if len(findings) > most:
        print_line(f"  and {_lines(findings[most:])}")


def _conversion_document(made: Conversion, to: str) -> dict[str, Any]:
    return {
        "out": None if made.impossible else path_text(made.out),
        "target": to,
        "exact": made.exact,
        "changed": {code: {"count": count, "first_line": line} for code, (count, line) in made.changed.items()},
        "impossible": [finding_document(finding) for finding in made.impossible],
        "omitted": omitted_document(made.omitted),
    }


def _print_conversion(made: Conversion, to: str) -> None:
    print_findings((*made.impossible, *made.warnings), made.omitted)
    if made.changed:
        rows = [[code, f"{count:,}", f"{line}"] for code, (count, line) in made.changed.items()]
        console().print(table(["changed", "rows", "first line"], rows, right=(1, 2)))
    if made.impossible:
        print_line(f"no file was written for {to}: {counted(made.errors, 'error')}")
    else:
        print_line(
            f"{made.out}: {counted(made.examples, 'row')} for {to}, {made.exact:,} of them with the same meaning"
        )


def _part(part: Part) -> dict[str, Any]:
    return {"path": path_text(part.path), "examples": part.examples}


def _tokens(count: TokenCount) -> str:
    without = f"; the images of {counted(count.without_images, 'example')} are not counted"
    more = without if count.without_images else ""
    if count.error < 0.0005:
        return f"{count.tokens:,} tokens, counted by {count.counter}{more}"
    if count.error >= 0.1:
        more += "; --tokenizer FILE, the model's own vocabulary, gives a closer count"
    return f"about {count.tokens:,} tokens (± {count.error:.1%}), estimated by {count.counter}{more}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _lines(findings: list[Finding]) -> str:
    named = ", ".join(str(finding.line) for finding in findings[:_MOST_LINES])
    more = len(findings) - _MOST_LINES
    return f"{'line' if len(findings) == 1 else 'lines'} {named}" + (f" and {more:,} more" if more > 0 else "")
