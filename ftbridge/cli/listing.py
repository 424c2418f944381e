"""`jobs`: the table of jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftbridge.cli.deploy import current_deployment, of_job, print_deployments
from ftbridge.cli.job_status import short_time, status_text
from ftbridge.cli.output import AsJson, console, narrow, number, open_bridge, print_json, print_line, table
from ftbridge.model import Job

if TYPE_CHECKING:
    from rich.table import Table


def register(app: typer.Typer, group: str) -> None:
    """Add the command to a group of the app."""
    app.command("jobs", rich_help_panel=group)(list_jobs)


def list_jobs(
    status: Annotated[
        list[str] | None, typer.Option(help="Only jobs of this status, such as running; can be repeated.")
    ] = None,
    provider: Annotated[str | None, typer.Option(help="Only jobs at this provider.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Only jobs created since then: a date, 2026-11-01, or how long ago: 12h, 7d, 2w.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Only jobs of this name; * stands for any characters, ? for one.")
    ] = None,
    group: Annotated[str | None, typer.Option(help="Only jobs of this group.")] = None,
    limit: Annotated[int | None, typer.Option(help="Only so many, the newest of them.")] = None,
    as_json: AsJson = False,
) -> None:
    """List jobs, oldest first, and the deployed models with their price."""
    given = {"status": status, "provider": provider, "since": since, "name": name, "group": group, "limit": limit}
    conditions: Any = {key: value for key, value in given.items() if value not in (None, [])}
    bridge = open_bridge()
    jobs = bridge.refresh(**conditions)
    listed = {job.id for job in jobs}
    deployed = [info for info in (bridge.deployments() if jobs else []) if not conditions or info.job in listed]
    if as_json:
        rows = [_plain(job) | {"deployment": current_deployment(of_job(job.id, deployed))} for job in jobs]
        print_json({"jobs": rows, "deployments": [info.model_dump(mode="json") for info in deployed]})
    elif jobs:
        console().print(_narrow_table(jobs) if narrow() else _wide_table(jobs))
        print_deployments(deployed)
    elif conditions:
        print_line("No job meets these conditions.")
    else:
        print_line("No jobs yet. `ftbridge demo` runs a first one.")


def _plain(job: Job) -> dict[str, Any]:
    return job.model_dump(mode="json", exclude={"spec"})


def _narrow_table(jobs: Sequence[Job]) -> Table:
    rows = [[job.id, _title(job, "\n"), _status_lines(job), short_time(job.created_at)] for job in jobs]
    return table(["job", "name and target", "status", "created"], rows, fold=1)


def _wide_table(jobs: Sequence[Job]) -> Table:
    rows = [
        [
            job.id,
            _title(job, "  "),
            _status_lines(job),
            f"{job.latest.step or '–'}",
            number(job.latest.train_loss),
            number(job.latest.valid_loss),
            short_time(job.created_at),
        ]
        for job in jobs
    ]
    headers = ["job", "name and target", "status", "step", "loss", "valid", "created"]
    return table(headers, rows, right=(3, 4, 5), fold=1)


def _title(job: Job, between: str) -> str:
    return f"{job.name}{between}{job.target}" if job.name else job.target


def _status_lines(job: Job) -> str:
    return status_text(job).replace(", ", "\n")
