"""The commands for one job: show it, list its events, cancel, pause and resume it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ftbridge.cli.curves import draw, lines, read_curves
from ftbridge.cli.output import AsJson, AsJsonLines, JobId, open_bridge, print_json, print_line, print_sentence
from ftbridge.cli.show import print_job
from ftbridge.cli.watch import event_line
from ftbridge.model import now


def register(app: typer.Typer, group: str) -> None:
    """Add the commands to a group of the app."""
    app.command("show", rich_help_panel=group)(show_job)
    for command in (events, cancel, pause, resume):
        app.command(rich_help_panel=group)(command)


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


def events(job: JobId, as_json: AsJsonLines = False) -> None:
    """List all events of a job, oldest first."""
    bridge = open_bridge()
    [current] = bridge.refresh(job)
    listed = bridge.events(current)
    if as_json:
        for event in listed:
            print_json(event.model_dump(mode="json", exclude_none=True))
        return
    today = now().astimezone().date()
    day = today if all(event.at.astimezone().date() == today for event in listed) else None
    for event in listed:
        print_sentence(event_line(current.id, event, day=day))


def cancel(job: JobId, as_json: AsJson = False) -> None:
    """Stop a job for good."""
    print_job(open_bridge().cancel(job), as_json=as_json)


def pause(job: JobId, as_json: AsJson = False) -> None:
    """Stop a job so that it can be resumed."""
    print_job(open_bridge().pause(job), as_json=as_json)


def resume(job: JobId, as_json: AsJson = False) -> None:
    """Continue a paused or failed job from its last checkpoint."""
    print_job(open_bridge().resume(job), as_json=as_json)
