"""`report`: a job's metrics for an experiment tracker; and `--report`, by which `watch` and `run` do so live."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from ftbridge.cli.output import AsJson, JobId, open_bridge, print_json, print_line
from ftbridge.watching.trackers import find_tracker
from ftbridge.wording import counted

_TRACKERS = "tensorboard:FOLDER, mlflow:URI or wandb:PROJECT"

Reports: TypeAlias = Annotated[
    list[str] | None, typer.Option("--report", help=f"Also write metrics and events to a tracker: {_TRACKERS}.")
]


def register(app: typer.Typer, group: str) -> None:
    """Add the command to a group of the app."""
    app.command(rich_help_panel=group)(report)


def report(
    job: JobId,
    tracker: Annotated[str, typer.Option("--to", help=f"The tracker: {_TRACKERS}.")],
    as_json: AsJson = False,
) -> None:
    """Write a job's metrics to a tracker. Repeated, it writes only what is new."""
    check_reports([tracker])
    bridge = open_bridge()
    current = bridge.job(job)
    new = bridge.report(current, tracker)
    if as_json:
        print_json({"id": current.id, "to": tracker, "new_events": new})
    else:
        print_line(f"{current.id}: {counted(new, 'new event')} written to {tracker}")


def check_reports(reports: list[str] | None) -> list[str]:
    """The trackers, none by default. Raises `UsageError`, before any work, for one that cannot be used."""
    for to in reports or ():
        find_tracker(to)
    return reports or []
