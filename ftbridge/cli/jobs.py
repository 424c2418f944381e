"""The commands about jobs: list, show, watch, steer, fetch."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftbridge.cli.curves import draw, lines, read_curves
from ftbridge.cli.deploy import current_deployment, of_job, show_deployments
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
    say,
    show,
    table,
)
from ftbridge.cli.report import Reports, check_reports
from ftbridge.cli.show import print_job
from ftbridge.cli.watch import clock, follow, line
from ftbridge.errors import FtbridgeError
from ftbridge.model import Event, Job, Result, Status, now
from ftbridge.provider.capabilities import ExportForm

if TYPE_CHECKING:
    from rich.table import Table


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command("jobs")(list_jobs)
    app.command("show")(show_job)
    for command in (watch, events, cancel, pause, resume, fetch, export):
        app.command()(command)


def list_jobs(as_json: AsJson = False) -> None:
    """All jobs, oldest first, and which of their models are deployed at what price."""
    bridge = open_bridge()
    jobs = bridge.refresh()
    deployed = bridge.deployments() if jobs else []
    if as_json:
        rows = [_plain(job) | {"deployment": current_deployment(of_job(job.id, deployed))} for job in jobs]
        print_json({"jobs": rows, "deployments": [info.model_dump(mode="json") for info in deployed]})
    elif not jobs:
        show("No jobs yet. `ftbridge demo` makes the first one.")
    else:
        console().print(_short(jobs) if narrow() else _long(jobs))
        show_deployments(deployed)


def _plain(job: Job) -> dict[str, Any]:
    return job.model_dump(mode="json", exclude={"spec"})


def _short(jobs: Sequence[Job]) -> Table:
    rows = [[job.id, _titled(job, "\n"), _stands(job), clock(job.created_at)] for job in jobs]
    return table(["job", "name and target", "status", "created"], rows, fold=1)


def _long(jobs: Sequence[Job]) -> Table:
    rows = [
        [
            job.id,
            _titled(job, "  "),
            _stands(job),
            f"{job.latest.step or '–'}",
            number(job.latest.train_loss),
            number(job.latest.valid_loss),
            clock(job.created_at),
        ]
        for job in jobs
    ]
    headers = ["job", "name and target", "status", "step", "loss", "valid", "created"]
    return table(headers, rows, right=(3, 4, 5), fold=1)


def _titled(job: Job, between: str) -> str:
    return f"{job.name}{between}{job.target}" if job.name else job.target


def _stands(job: Job) -> str:
    """The status in a word or two; of a job that waits, its place and when it may begin."""
    if job.queue_position is None:
        return str(job.status)
    return f"waits, place {job.queue_position}" + (f"\nuntil {clock(job.expected_start)}" if job.expected_start else "")


def show_job(
    job: JobId,
    plot: Annotated[Path | None, typer.Option(help="Draw the losses into this file, .svg or .png.")] = None,
    as_json: AsJson = False,
) -> None:
    """One job, whole, with the curves of its losses."""
    bridge = open_bridge()
    [found] = bridge.refresh(job)
    curves = read_curves(bridge.events(found))
    if plot:
        draw(curves, f"{found.name or found.id}  {found.target}", plot)
    there = bridge.deployments(found)  # first, for it notices what has ended
    deployed = [*bridge.past_deployments(found), *there]
    print_job(found, as_json=as_json, moves=bridge.moves(found), deployments=deployed)
    if not as_json:
        for name, drawn in lines(curves).items():
            show(f"{name:16} {drawn}")


def watch(
    jobs: Annotated[
        list[str] | None,
        typer.Argument(help="Jobs to follow; default: all that are not over, and those with --max-hours."),
    ] = None,
    fetch: Annotated[
        Path | None, typer.Option("--fetch", help="Fetch each job's result into a folder of its id here.")
    ] = None,
    listen: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, help="Take vendors' webhooks at http://127.0.0.1:PORT/PROVIDER, and look at once."
        ),
    ] = None,
    report: Reports = None,
    as_json: AsJsonLines = False,
) -> None:
    """Follow jobs, from where they stand now, until they are over. Ctrl-C stops the looking, not the jobs.

    It warns, at the start and once a day, of deployed models that cost by the hour, and takes those down that were
    deployed with --max-hours when these are over; until then it goes on.
    """
    reports = check_reports(report)
    bridge = open_bridge()
    chosen = jobs or [*(job.id for job in bridge.jobs() if not job.status.final), *sorted(bridge.jobs_with_max_hours())]
    if not chosen:
        for _told in bridge.watch(listen=listen, deployments=True):  # hooks may still have to be told
            pass
        say("No job is running." + (" Name those whose results are to be fetched." if fetch else ""))
        raise Exit(0)
    with suppress(FtbridgeError):  # what cannot be asked now is asked again by the watch, which says so
        bridge.refresh(*chosen)
    if as_json:
        for job in bridge.jobs(chosen):
            stands = {"status": job.status, "message": job.error, **job.latest.model_dump()}
            _print_event(job, Event(at=now(), kind="status", **stands))
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
    """Everything that happened to a job, oldest first."""
    bridge = open_bridge()
    [found] = bridge.refresh(job)
    for event in bridge.events(found):
        if as_json:
            print_json(event.model_dump(mode="json", exclude_none=True))
        else:
            show(line(found, event))


def cancel(job: JobId, as_json: AsJson = False) -> None:
    """Stop a job for good."""
    print_job(open_bridge().cancel(job), as_json=as_json)


def pause(job: JobId, as_json: AsJson = False) -> None:
    """Stop a job so that it can go on later."""
    print_job(open_bridge().pause(job), as_json=as_json)


def resume(job: JobId, as_json: AsJson = False) -> None:
    """Let a paused or failed job go on from its last checkpoint."""
    print_job(open_bridge().resume(job), as_json=as_json)


def fetch(
    job: JobId,
    out: Annotated[Path | None, typer.Option(help="The folder to write; default: one named after the job.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write what a finished job gives into a folder."""
    found = open_bridge().job(job)
    result = fetch_into(found, out)
    if as_json:
        print_json(found.model_copy(update={"result": result}).model_dump(mode="json"))
    else:
        show(str(result.path or result.model))


def export(
    job: JobId,
    out: Annotated[Path, typer.Option(help="The folder to write, new or empty.")],
    form: Annotated[ExportForm, typer.Option("--format", help="What the result becomes.")] = "merged",
    as_json: AsJson = False,
) -> None:
    """Write a finished job's result for other programs: adapter, merged model, GGUF file, or for Ollama."""
    found = open_bridge().job(job)
    result = open_bridge().export(found, out, form=form)
    if as_json:
        print_json(found.model_copy(update={"result": result}).model_dump(mode="json"))
    else:
        show(str(result.path))


def fetch_into(job: Job, out: Path | None) -> Result:
    """Fetch into `out`, or into a folder named after the job."""
    return open_bridge().fetch(job, out or Path(job.name or job.id))
