"""`export-config` and `import-config`: a job as the config of another trainer, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftbridge.cli.conversion import conversion_document, print_changes
from ftbridge.cli.dataset_options import Columns, Format
from ftbridge.cli.findings import print_findings
from ftbridge.cli.output import AsJson, Exit, console, open_bridge, print_json, print_line, print_message, table
from ftbridge.cli.submit import hyperparameter_options, with_options
from ftbridge.dataset.data_file import parse_columns
from ftbridge.foreign.paths import path_text
from ftbridge.wording import counted, printable

if TYPE_CHECKING:
    from ftbridge.trainer_configs.exported import ExportedConfig
    from ftbridge.trainer_configs.read_config import ImportedConfig

_LONGEST = 40  # characters of a value in a table; --json has all


def register(app: typer.Typer, group: str) -> None:
    """Add the commands to a group of the app."""
    app.command("export-config", rich_help_panel=group)(with_options(export_config, hyperparameter_options()))
    app.command("import-config", rich_help_panel=group)(import_config)


def export_config(
    source: Annotated[
        str,
        typer.Argument(
            metavar="DATA|JOB", help="The dataset, or a job: its id, its name, or 'last'.", show_default=False
        ),
    ],
    trainer: Annotated[str, typer.Option("--to", help="The trainer: axolotl, llama-factory, trl or unsloth.")],
    out: Annotated[Path, typer.Option(help="The folder to write, new or empty.")],
    model: Annotated[
        str | None,
        typer.Option(help="The model: ORGANISATION/NAME, a folder, or local:MODEL; a job on this machine has its own."),
    ] = None,
    validation: Annotated[str | None, typer.Option(help="A file of examples for the validation loss.")] = None,
    method: Annotated[str | None, typer.Option(help="sft or dpo; default: that of the job, or sft.")] = None,
    format: Format = None,  # noqa: A002 - the option's name
    map: Columns = None,  # noqa: A002 - likewise
    as_json: AsJson = False,
    **hyperparameters: Any,
) -> None:
    """Write a dataset or a job as another trainer's config, with its rows. The exit code is 1 if rows do not fit."""
    given = {name: value for name, value in hyperparameters.items() if value is not None}
    made = open_bridge().export_config(
        source,
        trainer,
        out,
        model=model,
        validation=validation,
        method=method,
        format=format,
        map=parse_columns(map or ()) or None,
        **given,
    )
    if as_json:
        print_json(_exported_document(made))
    else:
        _print_exported(made, out)
    raise Exit(0 if made.written else 1)


def import_config(
    file: Annotated[Path, typer.Argument(help="The config of another trainer, in YAML or JSON.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Read the config of another trainer: print the command that does the same, and what it cannot carry over."""
    found = open_bridge().import_config(file)
    if as_json:
        print_json({**found.model_dump(mode="json"), "command": found.command})
    else:
        _print_imported(found)


def _exported_document(made: ExportedConfig) -> dict[str, Any]:
    files = {"training": made.training, "validation": made.validation}
    return {
        "out": path_text(made.out) if made.written else None,
        "trainer": made.trainer,
        "checked_with": made.checked_with,
        "command": made.command,
        "model": made.model,
        "settings": made.settings,
        "chosen": list(made.chosen),
        "notes": list(made.notes),
        "rows": made.rows,
        **{name: conversion_document(one, made.trainer) if one else None for name, one in files.items()},
    }


def _print_exported(made: ExportedConfig, out: Path) -> None:
    for one in made.conversions:
        print_findings((*one.impossible, *one.warnings), one.omitted)
        print_changes(one)
    if not made.written:
        errors = sum(one.errors for one in made.conversions)
        print_line(f"nothing was written for {made.trainer}: {counted(errors, 'error')}")
        return
    for note in made.notes:
        print_message(f"note: {note}", style="yellow")
    if made.chosen:
        named = ", ".join(f"{name} = {made.settings[name]}" for name in made.chosen)
        print_message(f"note: chosen, because not given: {named}", style="yellow")
    same = sum(one.exact for one in made.conversions)
    examples = sum(one.examples for one in made.conversions)
    print_line(f"{out}: {counted(examples, 'example')} for {made.trainer}, {same:,} of them with the same meaning")
    print_message(f"Checked with {made.checked_with}. To train:  cd {out} && {made.command}")


def _print_imported(found: ImportedConfig) -> None:
    if found.not_carried:
        rows = [[one.key, _brief(one.value), one.why] for one in found.not_carried]
        console().print(table(["not carried over", "", "why"], rows))
    if found.aside:
        print_message(f"note: without meaning for what is learned: {', '.join(found.aside)}", style="yellow")
    print_message(
        f"{found.file} is a config of {found.trainer}. What it leaves open, ftbridge chooses. To do the same:"
    )
    print_line(found.command)


def _brief(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return printable(text, _LONGEST)
