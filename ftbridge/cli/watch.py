"""Following jobs: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ftbridge.cli.job_status import job_sentence, latest_metrics
from ftbridge.cli.output import clean, console, open_bridge, print_message
from ftbridge.model import Event, Job, Status

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

MOST_BARS = 30
"""Up to so many jobs have a progress bar each on a terminal; the events of more are plain lines."""

_Events: TypeAlias = Iterable[tuple[Job, Event | None]]


def follow(
    job_ids: Sequence[str],
    *,
    quiet: bool = False,
    fetch_to: Path | None = None,
    listen: int | None = None,
    report: Sequence[str] = (),
    deployments: bool = False,
) -> list[Job]:
    """Show the jobs' current state and their events from now on, until they end, and return them.

    Ctrl-C stops watching; jobs keep running.
    """
    bridge = open_bridge()
    events = bridge.watch(
        *job_ids, history=False, fetch_to=fetch_to, listen=listen, report=report, deployments=deployments
    )
    try:
        if quiet:
            for _event in events:
                pass
        elif len(job_ids) > MOST_BARS:
            _print_lines(events)
        else:
            for job in bridge.jobs(job_ids):
                _print(job_sentence(job))
                for event in bridge.events(job)[-1:]:
                    if event.message and job.status is Status.VALIDATING:
                        _print(event_line(job, event))
            (_draw if sys.stdout.isatty() else _print_lines)(events)
    except KeyboardInterrupt:
        unfinished = [job.id for job in bridge.jobs(job_ids) if not job.status.final]
        keep = "The job keeps" if len(unfinished) == 1 else "The jobs keep"
        print_message(f"\n{keep} running. `ftbridge watch {' '.join(unfinished)}` watches again.")
        raise
    return bridge.jobs(job_ids)


def event_line(job: Job, event: Event) -> str:
    """An event as one line for people."""
    when = event.at.astimezone().strftime("%H:%M:%S")
    return f"{when}  {job.id}  {event}"


def _print_lines(events: _Events) -> None:
    for job, event in events:
        if event is not None and _is_shown(event):
            _print(event_line(job, event))


def _print(sentence: str) -> None:
    print(clean(sentence), flush=True)  # noqa: T201 - plain lines, where rich would only wrap them


def _is_shown(event: Event) -> bool:
    """Of the steps every tenth is shown, and those with a validation metric."""
    every_tenth = event.step is None or event.step % 10 == 0 or event.step == event.total_steps
    if event.kind == "checkpoint":
        return False
    measured = event.valid_loss is not None or event.valid_reward is not None
    return event.kind != "metric" or measured or every_tenth


def _draw(events: _Events) -> None:
    with _progress() as progress:
        tasks: dict[str, TaskID] = {}
        for job, event in events:
            if job.id not in tasks:
                tasks[job.id] = progress.add_task(job.id, total=None, metrics="", status=str(job.status))
            _advance(progress, tasks[job.id], job, event)


def _advance(progress: Progress, task: TaskID, job: Job, event: Event | None) -> None:
    progress.update(task, completed=job.latest.step or 0, total=job.latest.total_steps, status=str(job.status))
    if event is not None and event.kind == "metric":
        shown = "  ".join(f"{name} {value}" for name, value in latest_metrics(job).items())
        if event.tokens_per_second:
            shown += f"  {event.tokens_per_second:,.0f} tokens/s"
        progress.update(task, metrics=shown)
    elif event is not None and event.message and event.kind != "checkpoint":
        progress.console.print(clean(event_line(job, event)))


def _progress() -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        TextColumn("{task.fields[status]}", markup=False),
        BarColumn(bar_width=10),
        MofNCompleteColumn(),
        TextColumn("{task.fields[metrics]}", markup=False),
        TimeRemainingColumn(),
        console=console(),
    )
