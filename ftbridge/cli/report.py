"""`report`: jobs as one HTML file, or metrics for an experiment tracker; and `--report` of `watch` and `run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from ftbridge.cli.dataset_options import Columns, Format
from ftbridge.cli.output import AsJson, open_bridge, print_json, print_line
from ftbridge.dataset.data_file import parse_columns
from ftbridge.errors import UsageError
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
    job: Annotated[
        list[str],
        typer.Argument(
            help="The job, or several: an id, the beginning of it, a name, 'last', or PROVIDER:last.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Write one HTML file about the jobs: curves, cost, evaluation, failures.")
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="For --out: held-out rows to evaluate each job on first, beside its base.")
    ] = None,
    tracker: Annotated[
        str | None, typer.Option("--to", help=f"Write a job's metrics to a tracker: {_TRACKERS}.")
    ] = None,
    format: Format = None,  # noqa: A002 - the option's name
    map: Columns = None,  # noqa: A002 - likewise
    as_json: AsJson = False,
) -> None:
    """Write a report of jobs as one HTML file (--out), or a job's metrics to a tracker (--to).

    The file loads nothing and runs nothing. To a tracker, only what is new is written.
    """
    if (out is None) == (tracker is None):
        raise UsageError(
            "a report needs --out or --to, one of the two", hint=f"Give --out report.html, or --to {_TRACKERS}."
        )
    if (format or map) and data is None:
        raise UsageError("--format and --map say how --data is to be read", hint="Give --data too, or leave them out.")
    if out is not None:
        _write_page(job, out, data, as_json=as_json, format=format, map=parse_columns(map or ()))
    elif tracker is not None:
        if len(job) > 1 or data is not None:
            raise UsageError("a tracker takes one job, and no --data", hint="Name one job with --to.")
        _write_to(job[0], tracker, as_json=as_json)


def _write_page(jobs: list[str], out: Path, data: str | None, *, as_json: bool, **reading: Any) -> None:
    bridge = open_bridge()
    file = bridge.write_report(jobs, out, data=data, **reading)
    if as_json:
        print_json({"jobs": [bridge.job(job).id for job in jobs], "out": str(file), "bytes": file.stat().st_size})
    else:
        print_line(f"{counted(len(jobs), 'job')} in {file}: open it in a browser")


def _write_to(job: str, tracker: str, *, as_json: bool) -> None:
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
