"""`evaluate`: score a tuned model on held-out rows, and tell a script or a CI job whether it may be released."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ftbridge.cli.asking_options import Fresh, MaxCost
from ftbridge.cli.dataset_options import Columns, Format
from ftbridge.cli.gate import failures, print_annotations, write_junit, write_step_summary
from ftbridge.cli.minima import FIRST, metrics_with_minima, read_minima
from ftbridge.cli.output import UNCLEAR, AsJson, Exit, JobId, open_bridge, print_json, print_message
from ftbridge.cli.scores import print_scores
from ftbridge.cli.text_file import read_text
from ftbridge.dataset.data_file import parse_columns
from ftbridge.files import require_folder_of


def register(app: typer.Typer, group: str) -> None:
    """Add the command to a group of the app."""
    app.command(rich_help_panel=group)(evaluate)


def evaluate(
    job: JobId,
    data: Annotated[str, typer.Argument(help="Held-out chats; the last message of each is the expected answer.")],
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="exact, label, json, tools, text, judge, loss, or a plugin's; the first decides. Can be repeated."
        ),
    ] = None,
    grader: Annotated[Path | None, typer.Option(help="A JSON file with an OpenAI grader to score by.")] = None,
    judge: Annotated[
        str | None, typer.Option(help="The target that judges the answers by --rubric, and for the grader.")
    ] = None,
    rubric: Annotated[Path | None, typer.Option(help="A text file: what makes an answer good.")] = None,
    baseline: Annotated[bool, typer.Option("--baseline", help="Score the base model as well.")] = False,
    against: Annotated[
        list[str] | None,
        typer.Option(help="Another job, or a target, to compare with on the same rows. Can be repeated."),
    ] = None,
    margin: Annotated[
        float,
        typer.Option(min=0, max=1, help="How much of a score may be lost and count as nothing: 0.05 are 5 points."),
    ] = 0.05,
    minimum: Annotated[
        list[str] | None,
        typer.Option(
            "--min",
            metavar="[METRIC=]SCORE",
            help="The least score of the first metric, or of METRIC: exit 1 below it. Can be repeated.",
        ),
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(help="A key of the rows: those with the same value are not independent.")
    ] = None,
    rows: Annotated[
        Path | None, typer.Option(help="Write all rows, answers and scores into this file: .jsonl, .csv or .parquet.")
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
    max_cost: MaxCost = None,
    fresh: Fresh = False,
    format: Format = None,  # noqa: A002 - the option's name
    map: Columns = None,  # noqa: A002 - likewise
    as_json: AsJson = False,
) -> None:
    """Score the tuned model on held-out rows, by metrics that fit them or that you name, with intervals.

    The exit code is 1 where it is worse by the first metric than its base (--baseline) or another model (--against), or
    below --min; and otherwise 4 where questions got no answer: these are not scored, and asked by the same command.
    """
    minima = read_minima(minimum or (), any_scale=grader is not None)
    if junit is not None:
        require_folder_of(junit)
    evaluation = open_bridge().evaluate(
        job,
        data,
        metrics=metrics_with_minima(metric or (), minima, grader),
        grader=grader,
        judge=judge,
        rubric=read_text(rubric, "rubric", "rubric") if rubric else None,
        baseline=baseline,
        against=against or (),
        margin=margin,
        cluster=cluster,
        format=format,
        map=parse_columns(map or ()),
        rows=rows,
        prompt=read_text(prompt, "prompt", "prompt") if prompt else None,
        few_shot=few_shot,
        max_cost_usd=max_cost,
        fresh=fresh,
    )
    minima = {name if name != FIRST else evaluation.metrics[0].name: score for name, score in minima.items()}
    failed = failures(evaluation, minima)
    if as_json:
        document = evaluation.model_dump(mode="json", exclude_none=not baseline)
        first = minima.get(evaluation.metrics[0].name)
        print_json({**document, "minimum": first, "minima": minima, "failures": [one.code for one in failed]})
    else:
        print_scores(evaluation)
        for failure in failed:
            print_message(f"failed: {failure.message}", style="bold red")
    if junit is not None:
        write_junit(evaluation, minima, junit)
    if github:
        print_annotations(evaluation, failed)
        write_step_summary(evaluation, failed)
    if failed:
        raise Exit(1)
    if evaluation.missing:
        raise Exit(UNCLEAR)
