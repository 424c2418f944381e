"""The commands about jobs: list, show, watch, steer, fetch."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftbridge.capabilities import ExportForm
from ftbridge.catalogue import dollars
from ftbridge.cli.curves import draw, lines, read_curves
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
from ftbridge.cli.reporting import Reports, check_reports
from ftbridge.cli.watching import clock, follow, line, waits
from ftbridge.errors import FtbridgeError
from ftbridge.model import Cost, Event, Job, Result, Status, now

if TYPE_CHECKING:
    from rich.table import Table

    from ftbridge.bridge import Moves


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command("jobs")(list_jobs)
    app.command("show")(show_job)
    for command in (watch, events, cancel, pause, resume, fetch, export):
        app.command()(command)


def list_jobs(as_json: AsJson = False) -> None:
    """All jobs, oldest first."""
    jobs = open_bridge().refresh()
    if as_json:
        print_json({"jobs": [job.model_dump(mode="json", exclude={"spec"}) for job in jobs]})
    elif not jobs:
        show("No jobs yet. `ftbridge demo` makes the first one.")
    else:
        console().print(_short(jobs) if narrow() else _long(jobs))


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
    if job.queue_place is None:
        return str(job.status)
    return f"waits, place {job.queue_place}" + (f"\nuntil {clock(job.expected_start)}" if job.expected_start else "")


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
    print_job(found, as_json=as_json, moves=bridge.moves(found))
    if not as_json:
        for name, drawn in lines(curves).items():
            show(f"{name:16} {drawn}")


def watch(
    jobs: Annotated[list[str] | None, typer.Argument(help="Jobs to follow; default: all that are not over.")] = None,
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
    """Follow jobs, from where they stand now, until they are over. Ctrl-C stops the looking, not the jobs."""
    reports = check_reports(report)
    bridge = open_bridge()
    chosen = jobs or [job.id for job in bridge.jobs() if not job.status.final]
    if not chosen:
        for _told in bridge.watch(listen=listen):  # hooks may still have to be told
            pass
        say("No job is running." + (" Name those whose results are to be fetched." if fetch else ""))
        raise Exit(0)
    with suppress(FtbridgeError):  # what cannot be asked now is asked again by the watch, which says so
        bridge.refresh(*chosen)
    if as_json:
        for job in bridge.jobs(chosen):
            stands = {"status": job.status, "message": job.error, **job.latest.model_dump()}
            _print_event(job, Event(at=now(), kind="status", **stands))
        for job, event in bridge.watch(*chosen, history=False, fetch_to=fetch, listen=listen, report=reports):
            if event is not None:
                _print_event(job, event)
    else:
        follow([job.id for job in bridge.jobs(chosen)], fetch_to=fetch, listen=listen, report=reports)
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


def print_job(job: Job, *, as_json: bool, moves: Moves | None = None) -> None:
    """One job, for people or programs, with its moves to and from other targets."""
    if as_json:
        print_json(job.model_dump(mode="json") | (moves.model_dump() if moves else {}))
        return
    facts = _facts(job)
    if moves:
        facts |= {"moved from": moves.moved_from, "moved to": ", ".join(moves.moved_to)}
    rows = [[name, value] for name, value in facts.items() if value not in (None, "")]
    console().print(table(["", ""], rows, fold=1))


def _facts(job: Job) -> dict[str, Any]:
    given = ", ".join(f"{name} {value}" for name, value in job.spec.hyperparameters.given().items())
    step, steps = job.latest.step, job.latest.total_steps
    measured = {
        "loss": job.latest.train_loss,
        "validation loss": job.latest.valid_loss,
        "reward": job.latest.train_reward,
        "validation reward": job.latest.valid_reward,
    }
    return {
        "job": job.id,
        "name": job.name,
        "target": job.target,
        "status": f"{job.status}" + (f" ({job.raw_status})" if job.raw_status not in (None, job.status) else ""),
        "queue": waits(job),
        "unclear until": f"{job.unclear_until.astimezone():%H:%M:%S}" if job.unclear_until else "",
        "error": job.error,
        "data": str(job.spec.data),
        "validation": str(job.spec.validation or ""),
        "method": str(job.spec.method),
        "hyperparameters": given,
        "steps": "" if step is None else f"{step} of {steps}" if steps else f"{step}",
        **{name: number(figure) for name, figure in measured.items() if figure is not None},
        "created": job.created_at.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
        "finished": job.finished_at.astimezone().strftime("%Y-%m-%d %H:%M:%S") if job.finished_at else "",
        "model": job.result.model if job.result else "",
        "result": _kept(job.result) if job.result else "",
        **_costs(job.cost),
    }


def _kept(result: Result) -> str:
    """Which step the model is of, in words; empty where the provider does not tell."""
    loss = f", validation loss {number(result.valid_loss)}" if result.valid_loss is not None else ""
    return "" if result.step is None else f"as after step {result.step}{loss}"


def _costs(cost: Cost) -> dict[str, str]:
    """The estimate against what the vendor has told, in dollars and tokens; empty where neither is known."""

    def told(estimate: str, actual: str) -> str:
        return "; ".join(filter(None, (estimate and f"estimated {estimate}", actual and f"billed {actual}")))

    high = cost.estimate_usd_high
    most = f" (at most {dollars(high)})" if high is not None and high != cost.estimate_usd else ""
    return {
        "cost": told(
            f"{dollars(cost.estimate_usd)}{most}" if cost.estimate_usd is not None else "",
            dollars(cost.actual_usd) if cost.actual_usd is not None else "",
        ),
        "tokens": told(
            f"{cost.estimate_tokens:,}" if cost.estimate_tokens is not None else "",
            f"{cost.billed_tokens:,}" if cost.billed_tokens is not None else "",
        ),
    }
