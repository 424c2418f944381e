"""`evaluate`: score a tuned model on held-out rows, and tell a script or a CI job whether it may be released."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ftbridge.cli.dataset_options import Columns
from ftbridge.cli.gate import failures, print_annotations, write_junit, write_step_summary
from ftbridge.cli.output import AsJson, Exit, JobId, open_bridge, print_json, print_message
from ftbridge.cli.scores import print_scores
from ftbridge.dataset.data_file import parse_columns
from ftbridge.errors import InputError
from ftbridge.files import require_folder_of


def register(app: typer.Typer, group: str) -> None:
    """Add the command to a group of the app."""
    app.command(rich_help_panel=group)(evaluate)


def evaluate(
    job: JobId,
    data: Annotated[str, typer.Argument(help="Held-out chats; the last message of each is the expected answer.")],
    baseline: Annotated[bool, typer.Option("--baseline", help="Score the base model as well.")] = False,
    against: Annotated[str | None, typer.Option(help="Another job to compare with, on the same rows.")] = None,
    margin: Annotated[
        float, typer.Option(min=0, max=1, help="The share of exact answers whose loss counts as none.")
    ] = 0.05,
    minimum: Annotated[
        float | None, typer.Option("--min", min=0, max=1, help="The least share of exact answers: exit 1 below it.")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(help="A key of the rows: those with the same value are not independent.")
    ] = None,
    rows: Annotated[
        Path | None, typer.Option(help="Write each row's answer and loss into this file, as JSON Lines.")
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Write the outcome into this file, as JUnit XML.")] = None,
    github: Annotated[
        bool, typer.Option("--github", help="Print annotations, and write GitHub's step summary.")
    ] = False,
    prompt: Annotated[
        Path | None, typer.Option(help="Ask the base with the text of this file as its system message.")
    ] = None,
    few_shot: Annotated[
        int, typer.Option(min=0, help="Ask the base with so many rows of the training file as examples.")
    ] = 0,
    max_cost: Annotated[
        float | None, typer.Option(min=0, help="Ask nothing that may cost more US dollars than this.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask again what the ledger has the answers to.")] = False,
    map: Columns = None,  # noqa: A002 - the option's name
    as_json: AsJson = False,
) -> None:
    """Score the tuned model on held-out rows: exact answers, and loss, with intervals.

    The exit code is 1 where it is worse than its base (--baseline) or another job (--against), or below --min.
    """
    if junit is not None:
        require_folder_of(junit)
    evaluation = open_bridge().evaluate(
        job,
        data,
        baseline=baseline,
        against=against,
        margin=margin,
        cluster=cluster,
        map=parse_columns(map or ()),
        rows=rows,
        prompt=_text(prompt) if prompt else None,
        few_shot=few_shot,
        max_cost_usd=max_cost,
        fresh=fresh,
    )
    failed = failures(evaluation, minimum)
    if as_json:
        document = evaluation.model_dump(mode="json", exclude_none=not baseline)
        print_json({**document, "minimum": minimum, "failures": [one.code for one in failed]})
    else:
        print_scores(evaluation)
        for failure in failed:
            print_message(f"failed: {failure.message}", style="bold red")
    if junit is not None:
        write_junit(evaluation, minimum, junit)
    if github:
        print_annotations(evaluation, failed)
        write_step_summary(evaluation, failed)
    if failed:
        raise Exit(1)


def _text(file: Path) -> str:
    """Raises `InputError` for a file that is no text, or an empty one."""
    try:
        text = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise InputError(
            f"{file} cannot be read: {problem}", hint="Give --prompt a file with the prompt as text, in UTF-8."
        ) from None
    if not text:
        raise InputError(f"{file} is empty", hint="Write the prompt into it, or leave out --prompt.")
    return text
