"""The commands for jobs: list, show, watch, cancel, pause and resume them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftbridge.cli.curves import draw, lines, read_curves
from ftbridge.cli.deploy import current_deployment, of_job, print_deployments
from ftbridge.cli.job_status import short_time, status_text
from ftbridge.cli.output import (
    AsJson,
    AsJsonLines,
    Exit,
    JobId,
    console,
    narrow,
    number,
    open_bridge,
    print_json,
    print_line,
    print_message,
    table,
)
from ftbridge.cli.report import Reports, check_reports
from ftbridge.cli.show import print_job
from ftbridge.cli.watch import event_line, follow
from ftbridge.errors import FtbridgeError
from ftbridge.model import Event, Job, Status, now

if TYPE_CHECKING:
    from rich.table import Table


def register(app: typer.Typer, group: str) -> None:
    """Add the commands to a group of the app."""
    app.command("jobs", rich_help_panel=group)(list_jobs)
    app.command("show", rich_help_panel=group)(show_job)
    for command in (watch, events, cancel, pause, resume):
        app.command(rich_help_panel=group)(command)


def list_jobs(as_json: AsJson = False) -> None:
    """List all jobs, oldest first, and the deployed models with their price."""
    bridge = open_bridge()
    jobs = bridge.refresh()
    deployed = bridge.deployments() if jobs else []
    if as_json:
        rows = [_plain(job) | {"deployment": current_deployment(of_job(job.id, deployed))} for job in jobs]
        print_json({"jobs": rows, "deployments": [info.model_dump(mode="json") for info in deployed]})
    elif not jobs:
        print_line("No jobs yet. `ftbridge demo` runs a first one.")
    else:
        console().print(_narrow_table(jobs) if narrow() else _wide_table(jobs))
        print_deployments(deployed)


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


def show_job(
    job: JobId,
    plot: Annotated[Path | None, typer.Option(help="Draw the loss curves into this file, .svg or .png.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show one job in full, with the curves of its losses."""
    bridge = open_bridge()
    [current] = bridge.refresh(job)
    curves = read_curves(bridge.events(current))
    if plot:
        draw(curves, f"{current.name or current.id}  {current.target}", plot)
    deployed = bridge.deployments(current)  # first, because it notices what has ended
    print_job(
        current,
        as_json=as_json,
        moves=bridge.moves(current),
        deployments=[*bridge.past_deployments(current), *deployed],
    )
    if not as_json:
        for name, drawn in lines(curves).items():
            print_line(f"{name:16} {drawn}")


def watch(
    jobs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[JOB]...", help="The jobs; default: all that have not ended, and those deployed with --max-hours."
        ),
    ] = None,
    fetch: Annotated[
        Path | None, typer.Option("--fetch", help="Fetch each result into a subfolder of this folder, named by job id.")
    ] = None,
    listen: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, help="Take vendors' webhooks at http://127.0.0.1:PORT/PROVIDER, and poll at once."
        ),
    ] = None,
    report: Reports = None,
    as_json: AsJsonLines = False,
) -> None:
    """Follow jobs from their current state until they end. Ctrl-C stops watching; jobs keep running.

    At the start and once a day it warns of deployed models that are billed by the hour. Models deployed with
    --max-hours are undeployed when these are over; until then the watch continues.
    """
    reports = check_reports(report)
    bridge = open_bridge()
    chosen = jobs or [*(job.id for job in bridge.jobs() if not job.status.final), *sorted(bridge.jobs_with_max_hours())]
    if not chosen:
        for _event in bridge.watch(listen=listen, deployments=True):  # hooks may still have events to get
            pass
        print_message("No job is running." + (" Name the jobs whose results to fetch." if fetch else ""))
        raise Exit(0)
    with suppress(FtbridgeError):  # the watch polls again, and reports what is wrong
        bridge.refresh(*chosen)
    if as_json:
        for job in bridge.jobs(chosen):
            state = {"status": job.status, "message": job.error, **job.latest.model_dump()}
            _print_event(job, Event(at=now(), kind="status", **state))
        watched = bridge.watch(*chosen, history=False, fetch_to=fetch, listen=listen, report=reports, deployments=True)
        for job, event in watched:
            if event is not None:
                _print_event(job, event)
    else:
        ids = [job.id for job in bridge.jobs(chosen)]
        follow(ids, fetch_to=fetch, listen=listen, report=reports, deployments=True)
    bad = [job for job in bridge.jobs(chosen) if job.status in (Status.FAILED, Status.CANCELLED)]
    raise Exit(1 if bad else 0)


def _print_event(job: Job, event: Event) -> None:
    print_json({"id": job.id, **event.model_dump(mode="json", exclude_none=True)})


def events(job: JobId, as_json: AsJsonLines = False) -> None:
    """List all events of a job, oldest first."""
    bridge = open_bridge()
    [current] = bridge.refresh(job)
    for event in bridge.events(current):
        if as_json:
            print_json(event.model_dump(mode="json", exclude_none=True))
        else:
            print_line(event_line(current, event))


def cancel(job: JobId, as_json: AsJson = False) -> None:
    """Stop a job for good."""
    print_job(open_bridge().cancel(job), as_json=as_json)


def pause(job: JobId, as_json: AsJson = False) -> None:
    """Stop a job so that it can be resumed."""
    print_job(open_bridge().pause(job), as_json=as_json)


def resume(job: JobId, as_json: AsJson = False) -> None:
    """Continue a paused or failed job from its last checkpoint."""
    print_job(open_bridge().resume(job), as_json=as_json)
