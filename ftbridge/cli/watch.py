"""`watch`, and following jobs for other commands: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from ftbridge.cli.job_status import job_sentence, label
from ftbridge.cli.output import (
    AsJsonLines,
    Exit,
    Stopped,
    console,
    line_end,
    open_bridge,
    print_json,
    print_message,
    print_sentence,
)
from ftbridge.cli.report import Reports, check_reports
from ftbridge.errors import FtbridgeError
from ftbridge.model import Event, Job, Latest, Status, now

if TYPE_CHECKING:
    from ftbridge.bridge import Bridge

MOST_SENTENCES = 30
"""Of up to so many jobs the state is printed at the start."""

_Events: TypeAlias = Iterable[tuple[Job, Event | None]]


def register(app: typer.Typer, group: str) -> None:
    """Add the command to a group of the app."""
    app.command(rich_help_panel=group)(watch)


def watch(
    jobs: Annotated[
        list[str] | None,
        typer.Argument(
            help="The jobs, by id or name; default: all that have not ended, and those deployed with --max-hours."
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

    The exit code is 1 if a job has failed, or a result could not be fetched.

    At the start and once a day it warns of deployed models that are billed by the hour. Models deployed with
    --max-hours are undeployed when these are over; until then the watch continues.
    """
    reports = check_reports(report)
    bridge = open_bridge()
    wanted = bridge.jobs(jobs) if jobs else [job for job in bridge.jobs() if not job.status.final]
    deployed = [] if jobs else sorted(bridge.jobs_with_max_hours())
    chosen = list(dict.fromkeys([*(job.id for job in wanted), *deployed]))
    if not chosen:
        for _event in bridge.watch(listen=listen, deployments=True):  # hooks may still have events to get
            pass
        print_message("No job is running." + (" Name the jobs whose results to fetch." if fetch else ""))
        raise Exit(0)
    with suppress(FtbridgeError):  # the watch polls again, and reports what is wrong
        bridge.refresh(*chosen)
    ended = follow(chosen, as_json=as_json, fetch_to=fetch, listen=listen, report=reports, deployments=True)
    bad = [job for job in ended if job.status is not Status.SUCCEEDED or (fetch and not (fetch / job.id).exists())]
    if len(ended) == 1 and not bad and not as_json:
        print_message(_what_next(ended[0].name or ended[0].id, fetched=fetch is not None))
    raise Exit(1 if bad else 0)


def follow(
    job_ids: Sequence[str],
    *,
    quiet: bool = False,
    as_json: bool = False,
    fetch_to: Path | None = None,
    listen: int | None = None,
    report: Sequence[str] = (),
    deployments: bool = False,
) -> list[Job]:
    """Show the jobs' current state and their events from now on, until they end, and return them.

    Ctrl-C stops watching; jobs keep running.
    """
    bridge = open_bridge()
    watched = bridge.watch(
        *job_ids, history=False, fetch_to=fetch_to, listen=listen, report=report, deployments=deployments
    )
    events = _with_results(watched, fetch_to) if fetch_to else watched
    live = not quiet and not as_json and sys.stdout.isatty() and console().is_interactive
    try:
        if quiet:
            for _event in events:
                pass
        elif as_json:
            _print_json_lines(bridge, job_ids, events)
        else:
            _print_states(bridge, job_ids)
            (_draw if live else _print_lines)(bridge, job_ids, events)
    except KeyboardInterrupt:
        below_ctrl_c = "" if live else line_end()  # the display is removed with the ^C in its last line
        print_message(f"{below_ctrl_c}Stopped watching{_keep_running(bridge, job_ids)}")
        raise Stopped from None
    return bridge.jobs(job_ids)


def _what_next(job: str, *, fetched: bool) -> str:
    steps = [f"`ftbridge chat {job}` asks the model", f"`ftbridge evaluate {job} DATA` scores it"]
    steps += [] if fetched else [f"`ftbridge fetch {job}` downloads the result"]
    return f"{', '.join(steps[:-1])}, and {steps[-1]}."


def _keep_running(bridge: Bridge, job_ids: Sequence[str]) -> str:
    left = [job.id for job in bridge.jobs(job_ids) if not job.status.final]
    if not left:
        return "."
    if len(left) == 1:
        return f"; the job keeps running. `ftbridge watch {left[0]}` watches again."
    return "; jobs keep running. `ftbridge watch` watches again."


def event_line(whose: str, event: Event, *, day: date | None = None) -> str:
    """An event as one line for people: its local time, and its date too unless it is of that `day`."""
    at = event.at.astimezone()
    return f"{at.strftime('%H:%M:%S' if at.date() == day else '%Y-%m-%d %H:%M:%S')}  {whose}  {event}"


def _with_results(events: _Events, folder: Path) -> Iterator[tuple[Job, Event | None]]:
    """The same events, and after the last one of each job where its result was put."""
    succeeded: dict[str, Job] = {}
    for job, event in events:
        yield job, event
        if job.status is Status.SUCCEEDED and (event is None or event.status is Status.SUCCEEDED):
            succeeded[job.id] = job
    for job in succeeded.values():
        if (folder / job.id).exists():
            where = f"the result is in {folder / job.id}"
            yield job, Event(at=now(), kind="message", code="fetched", message=where)


def _print_json_lines(bridge: Bridge, job_ids: Sequence[str], events: _Events) -> None:
    for job in bridge.jobs(job_ids):
        state = {"status": job.status, "message": job.error, **job.latest.model_dump(include=set(Latest.model_fields))}
        _print_json_line(job, Event(at=now(), kind="status", **state))
    for job, event in events:
        if event is not None:
            _print_json_line(job, event)


def _print_json_line(job: Job, event: Event) -> None:
    print_json({"id": job.id, **event.model_dump(mode="json", exclude_none=True)})


def _print_states(bridge: Bridge, job_ids: Sequence[str]) -> None:
    """A sentence for each job, and while it is validated the last message, which says what is going on."""
    if len(job_ids) > MOST_SENTENCES:
        return
    for job in bridge.jobs(job_ids):
        print_sentence(job_sentence(job))
        last = bridge.events(job)[-1:] if job.status is Status.VALIDATING else []
        for event in last:
            if event.message:
                print_sentence(event_line(label(job), event, day=now().astimezone().date()))


def _print_lines(_bridge: Bridge, _job_ids: Sequence[str], events: _Events) -> None:
    """A line for each event; of a watch that takes days, those of later days have their date."""
    began = now().astimezone().date()
    for job, event in events:
        if event is not None and _is_shown(event):
            print_sentence(event_line(label(job), event, day=began))


def _is_shown(event: Event) -> bool:
    """Of the steps every tenth is shown, and those with a validation metric."""
    every_tenth = event.step is None or event.step % 10 == 0 or event.step == event.total_steps
    if event.kind == "checkpoint":
        return False
    measured = event.valid_loss is not None or event.valid_reward is not None
    return event.kind != "metric" or measured or every_tenth


def _draw(bridge: Bridge, job_ids: Sequence[str], events: _Events) -> None:
    """Progress in the display, and above it a line for each event that is not a metric."""
    from ftbridge.cli.live import shown_live

    began = now().astimezone().date()
    with shown_live(console()) as display:
        for job in bridge.jobs(job_ids):
            display.add(job, bridge.events(job) if len(job_ids) <= MOST_SENTENCES else ())
        for job, event in events:
            display.add(job, [event] if event else [])
            if event is None or event.kind in ("metric", "checkpoint"):
                continue
            ends = event.status is not None and event.status.final
            print_sentence(job_sentence(job) if ends else event_line(label(job), event, day=began))
