"""Following jobs: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ftbridge.cli.output import clean, console, number, open_bridge, say
from ftbridge.model import Event, Job, Status

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

DRAWN = 30
"""Up to so many jobs have a line each on a terminal; more are told of in plain lines, as they change."""

_ENDED = {Status.SUCCEEDED: "has succeeded", Status.FAILED: "has failed", Status.CANCELLED: "was cancelled"}

_Told: TypeAlias = Iterable[tuple[Job, Event | None]]


def follow(
    job_ids: Sequence[str],
    *,
    quiet: bool = False,
    fetch_to: Path | None = None,
    listen: int | None = None,
    report: Sequence[str] = (),
    deployments: bool = False,
) -> list[Job]:
    """Show where the jobs stand and what happens from now on, until they are over, and return them.

    Ctrl-C stops the looking, not the jobs.
    """
    bridge = open_bridge()
    told = bridge.watch(
        *job_ids, history=False, fetch_to=fetch_to, listen=listen, report=report, deployments=deployments
    )
    try:
        if quiet:
            for _told in told:
                pass
        elif len(job_ids) > DRAWN:
            _print_lines(told)
        else:
            for job in bridge.jobs(job_ids):
                _print(standing(job))
                for event in bridge.events(job)[-1:]:
                    if event.message and job.status is Status.VALIDATING:
                        _print(line(job, event))
            (_draw if sys.stdout.isatty() else _print_lines)(told)
    except KeyboardInterrupt:
        left = [job.id for job in bridge.jobs(job_ids) if not job.status.final]
        going = "The job goes" if len(left) == 1 else "The jobs go"
        say(f"\n{going} on. `ftbridge watch {' '.join(left)}` picks up again.")
        raise
    return bridge.jobs(job_ids)


def line(job: Job, event: Event) -> str:
    """An event as one line for people."""
    when = event.at.astimezone().strftime("%H:%M:%S")
    return f"{when}  {job.id}  {event}"


def figures(job: Job) -> dict[str, str]:
    """The newest losses, or, in reinforcement, rewards, by short names."""
    latest = job.latest
    known = {
        "loss": latest.train_loss,
        "reward": latest.train_reward,
        "valid": latest.valid_loss if latest.valid_loss is not None else latest.valid_reward,
    }
    return {name: number(figure) for name, figure in known.items() if figure is not None}


def waits(job: Job) -> str:
    """Where a job that waits here stands in the queue, in words; empty for every other job."""
    if job.queue_position is None:
        return ""
    starts = f", starts about {clock(job.expected_start)}" if job.expected_start else ""
    return f"waits, place {job.queue_position}{starts}"


def clock(time: datetime) -> str:
    """A time as a person says it: day and minute."""
    return time.astimezone().strftime("%m-%d %H:%M")


def standing(job: Job) -> str:
    """Where a job stands, as one sentence."""
    if job.queue_position is not None:
        return f"{job.id} {waits(job)}"
    known = [f"{job.id} {_ENDED.get(job.status, f'is {job.status}')}"]
    if job.latest.step is not None:
        known.append(f"step {job.latest.step}" + (f" of {job.latest.total_steps}" if job.latest.total_steps else ""))
    known += [f"{name} {figure}" for name, figure in figures(job).items()][:1]
    return ", ".join(known) + (f": {job.error}" if job.error else "")


def _print_lines(told: _Told) -> None:
    for job, event in told:
        if event is not None and _worth_a_line(event):
            _print(line(job, event))


def _print(sentence: str) -> None:
    print(clean(sentence), flush=True)  # noqa: T201 - plain lines, where rich would only wrap them


def _worth_a_line(event: Event) -> bool:
    """Every tenth step is enough for a log, and every step with a figure of the validation file."""
    every_tenth = event.step is None or event.step % 10 == 0 or event.step == event.total_steps
    if event.kind == "checkpoint":
        return False
    measured = event.valid_loss is not None or event.valid_reward is not None
    return event.kind != "metric" or measured or every_tenth


def _draw(told: _Told) -> None:
    with _progress() as progress:
        tasks: dict[str, TaskID] = {}
        for job, event in told:
            if job.id not in tasks:
                tasks[job.id] = progress.add_task(job.id, total=None, figures="", status=str(job.status))
            _advance(progress, tasks[job.id], job, event)


def _advance(progress: Progress, task: TaskID, job: Job, event: Event | None) -> None:
    progress.update(task, completed=job.latest.step or 0, total=job.latest.total_steps, status=str(job.status))
    if event is not None and event.kind == "metric":
        shown = "  ".join(f"{name} {figure}" for name, figure in figures(job).items())
        if event.tokens_per_second:
            shown += f"  {event.tokens_per_second:,.0f} tokens/s"
        progress.update(task, figures=shown)
    elif event is not None and event.message and event.kind != "checkpoint":
        progress.console.print(clean(line(job, event)))


def _progress() -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        TextColumn("{task.fields[status]}", markup=False),
        BarColumn(bar_width=10),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}", markup=False),
        TimeRemainingColumn(),
        console=console(),
    )
