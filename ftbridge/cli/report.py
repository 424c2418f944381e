"""The command that writes a job's curves to a tracker, and the option by which `watch` and `run` do so as they come."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from ftbridge.cli.output import AsJson, JobId, open_bridge, print_json, show
from ftbridge.watching.trackers import find_tracker
from ftbridge.wording import counted

_PLACES = "tensorboard:FOLDER, mlflow:URI or wandb:PROJECT"

Reports: TypeAlias = Annotated[
    list[str] | None, typer.Option("--report", help=f"Write what happens to a tracker as well: {_PLACES}.")
]


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(report)


def report(
    job: JobId,
    to: Annotated[str, typer.Option(help=f"The tracker: {_PLACES}.")],
    as_json: AsJson = False,
) -> None:
    """Write a job's losses and other figures to a tracker; again, only what is new."""
    check_reports([to])
    bridge = open_bridge()
    found = bridge.job(job)
    new = bridge.report(found, to)
    if as_json:
        print_json({"id": found.id, "to": to, "new_events": new})
    else:
        show(f"{found.id}: {counted(new, 'new event')} written to {to}")


def check_reports(reports: list[str] | None) -> list[str]:
    """The trackers, none by default. Raises `UsageError` before any work for one that cannot be written to."""
    for to in reports or ():
        find_tracker(to)
    return reports or []
