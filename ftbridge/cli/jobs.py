"""The commands for one job: list its events, cancel, pause and resume it."""

from __future__ import annotations

from typing import Annotated

import typer

from ftbridge.cli.output import AsJson, AsJsonLines, JobId, open_bridge, print_json, print_sentence
from ftbridge.cli.show import print_job
from ftbridge.cli.watch import event_line
from ftbridge.model import now


def register(app: typer.Typer, group: str) -> None:
    """Add the commands to a group of the app."""
    for command in (events, cancel, pause, resume):
        app.command(rich_help_panel=group)(command)


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


def cancel(
    job: JobId,
    give_up: Annotated[
        bool, typer.Option("--give-up", help="End it here even if its provider, or machine, can no longer be asked.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Stop a job for good."""
    print_job(open_bridge().cancel(job, give_up=give_up), as_json=as_json)


def pause(job: JobId, as_json: AsJson = False) -> None:
    """Stop a job so that it can be resumed."""
    print_job(open_bridge().pause(job), as_json=as_json)


def resume(job: JobId, as_json: AsJson = False) -> None:
    """Continue a paused or failed job from its last checkpoint."""
    print_job(open_bridge().resume(job), as_json=as_json)
