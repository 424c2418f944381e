"""`improve`: from the failures of a tuned model back to its data, and a draft for a second round."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ftbridge.cli.asking_options import Fresh, MaxCost
from ftbridge.cli.dataset_options import Columns, Format
from ftbridge.cli.issues import print_improvement
from ftbridge.cli.output import AsJson, JobId, open_bridge, print_json
from ftbridge.dataset.data_file import parse_columns


def register(app: typer.Typer, group: str) -> None:
    """Add the command to a group of the app."""
    app.command(rich_help_panel=group)(improve)


def improve(
    job: JobId,
    data: Annotated[str, typer.Argument(help="Held-out chats that end with the expected answer.")],
    out: Annotated[
        Path | None, typer.Option(help="Write rows for a second round into this file.", show_default=False)
    ] = None,
    include_held_out: Annotated[
        bool,
        typer.Option(
            "--include-held-out", help="Among them the held-out rows that fail: these judge no model any more."
        ),
    ] = False,
    ask_training: Annotated[
        int, typer.Option(min=0, metavar="ROWS", help="Also ask the model so many training rows, drawn at random.")
    ] = 0,
    max_cost: MaxCost = None,
    fresh: Fresh = False,
    format: Format = None,  # noqa: A002 - the option's name
    map: Columns = None,  # noqa: A002 - likewise
    as_json: AsJson = False,
) -> None:
    """Find what in the training data explains the failures on held-out rows, line by line.

    DATA may be the training file itself: then the failures are rows that the model has not learned.
    """
    found = open_bridge().improve(
        job,
        data,
        out=out,
        include_held_out=include_held_out,
        ask_training=ask_training,
        max_cost_usd=max_cost,
        fresh=fresh,
        format=format,
        map=parse_columns(map or ()),
    )
    if as_json:
        print_json(found.model_dump(mode="json", exclude_none=True))
    else:
        print_improvement(found)
