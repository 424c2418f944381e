"""`check`, `prepare` and `convert`: the commands for datasets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ftbridge.cli.conversion import conversion_document, print_changes
from ftbridge.cli.dataset_options import Columns, Data, Format
from ftbridge.cli.findings import finding_document, omitted_document, print_findings
from ftbridge.cli.output import AsJson, Exit, open_context, print_json, print_line
from ftbridge.dataset import Conversion, Part, Report, TokenCount
from ftbridge.dataset import prepare as prepare_files
from ftbridge.dataset.data_file import parse_columns
from ftbridge.dataset.reading.given import given
from ftbridge.errors import UsageError
from ftbridge.foreign.paths import path_text
from ftbridge.home import find_home
from ftbridge.wording import counted, did_you_mean, printable

Method = Annotated[str, typer.Option(help="The training method that the rows are for: sft, dpo, rft or distill.")]
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


def register(app: typer.Typer, group: str) -> None:
    """Add the commands to a group of the app."""
    for command in (check, prepare, convert):
        app.command(rich_help_panel=group)(command)


def check(
    data: Data,
    to: Annotated[
        list[str] | None,
        typer.Option(
            "--to", help="Also apply this target's rules, and find repeated JSON keys; several are separated by commas."
        ),
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
    show_mask: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="[LINE]",
            help="Do not check: show the rows, or that on LINE, as the model on this machine reads and trains them.",
            show_default=False,
        ),
    ] = None,
    format: Format = None,  # noqa: A002 - the option's name
    map: Columns = None,  # noqa: A002 - likewise
    as_json: AsJson = False,
) -> None:
    """Find the problems of a dataset, each with its line, its JSON path, and what to do."""
    if no_advice and (validation or near_duplicates):
        raise UsageError("--validation and --near-duplicates are advice", hint="Leave --no-advice out.")
    if tokenizer and not to:
        raise UsageError("--tokenizer needs a target, for which the tokens are counted", hint="Give --to as well.")
    if show_mask is not None:
        from ftbridge.cli.mask import show_masks

        options: Any = {"method": method, "format": format, "map": parse_columns(map or ())}
        show_masks(open_context(), data, to or [], show_mask or None, options, as_json=as_json)
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
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite files of these names that are not of an earlier run on DATA.")
    ] = False,
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
    options: Any = {"dedupe": dedupe, "validation": validation_split, "seed": seed, "format": format, "force": force}
    with given(data, find_home(), parse_columns(map or ())) as read:
        made = prepare_files(read, out, **options, workers=workers)
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
        print_json(conversion_document(made, to))
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


def print_report(report: Report) -> None:
    """The report for people: a paragraph per rule, with the number of findings and the first lines."""
    print_findings(report.findings, report.omitted)
    verdict = "ok" if not report.errors else "not ready"
    detected = "format unknown" if report.format == "unknown" else f"{report.format}: {report.why}"
    print_line(
        f"{report.file}: {verdict}: {counted(report.examples, 'example')} ({detected}), "
        f"{counted(report.errors, 'error')}, {counted(report.warnings, 'warning')}"
    )


def _print_conversion(made: Conversion, to: str) -> None:
    print_findings((*made.impossible, *made.warnings), made.omitted)
    print_changes(made)
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
