"""The display of followed jobs on a terminal: a line for each, redrawn below all that is printed meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ftbridge.cli.job_status import latest_metrics
from ftbridge.cli.output import clean, messages_above
from ftbridge.model import Event, Job, Status, now
from ftbridge.wording import counted

_ORDER = ("id", "label", "target", "status", "bar", "step", "loss", "reward", "valid", "left")
_LEAST_NEEDED = ("bar", "target", "valid", "loss", "reward", "label", "left", "status", "id")
"""The columns in the order in which they are left out where the terminal is too narrow."""
_ID = 10  # characters of an ID: enough to tell jobs apart, and to type
_LABEL = 12  # characters of a name, or of a target, that are always shown of it
_BAR = 20
_GAP = 2
_SPARE = 3  # characters that stay free at the right, for the ^C that the terminal itself writes there
_STEPS_MEASURED = 50  # the newest metrics, whose times say how long a step takes
_A_DAY = timedelta(days=1)


class Pace(NamedTuple):
    """When which steps were done, the newest last."""

    marks: deque[tuple[datetime, int]]

    def add(self, event: Event) -> None:
        """Take an event's time and step into account; a job that goes back to an earlier step begins anew."""
        if event.kind != "metric" or event.step is None:
            return
        if self.marks and event.step < self.marks[-1][1]:
            self.marks.clear()
        self.marks.append((event.at, event.step))

    def time_left(self, total_steps: int | None, at: datetime) -> timedelta | None:
        """How long the steps that are left take at the pace of the last ones; `None` where that is not known."""
        if not self.marks or total_steps is None:
            return None
        (begun, first), (newest, last) = self.marks[0], self.marks[-1]
        if last <= first:
            return None
        ends = newest + (newest - begun) / (last - first) * (total_steps - last)
        return max(ends - at, timedelta(seconds=0))


class Display:
    """The jobs that have not ended, as a renderable that fits on the terminal as it is at that moment."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._jobs: dict[str, Job] = {}
        self._paces: dict[str, Pace] = {}

    def add(self, job: Job, events: Iterable[Event]) -> None:
        """Take a job's newest state and its new events."""
        pace = self._paces.setdefault(job.id, Pace(deque(maxlen=_STEPS_MEASURED)))
        for event in events:
            pace.add(event)
        self._jobs[job.id] = job

    def __rich__(self) -> RenderableType:
        width, height = self._console.size
        jobs = list(self._jobs.values())
        unfinished = [job for job in jobs if not job.status.final]
        lines = max(height - 3, 1)  # what is printed meanwhile is to be seen above them
        drawn = unfinished if len(unfinished) <= lines else unfinished[: lines - 1]
        rows = [self._cells(job) for job in drawn]
        note = _note(len(unfinished) - len(drawn), len(jobs) - len(unfinished), len(jobs))
        return Group(*([grid(rows, width - _SPARE)] if rows else []), *([note] if note else []))

    def _cells(self, job: Job) -> dict[str, str | ProgressBar]:
        return cells(job, self._paces[job.id].time_left(job.latest.total_steps, now()))


def cells(job: Job, time_left: timedelta | None) -> dict[str, str | ProgressBar]:
    """What is known of a job, by column."""
    step, steps = job.latest.step, job.latest.total_steps
    known: dict[str, str | ProgressBar] = {
        "id": job.id[:_ID],
        "label": clean(job.name or job.target),
        "target": clean(job.target) if job.name else "",
        "status": _status(job),
        "bar": ProgressBar(steps, step or 0, width=_BAR) if steps else "",
        "step": "" if step is None else f"{step}/{steps}" if steps else f"{step}",
        "left": f"{_clock(time_left)} left" if time_left is not None and job.status is Status.RUNNING else "",
    }
    return known | {name: f"{name} {value}" for name, value in latest_metrics(job).items()}


def grid(rows: Sequence[Mapping[str, str | ProgressBar]], width: int) -> Table:
    """The rows as lines of at most `width` characters; only names and targets are ever cut."""
    widths = {name: max(_width(row.get(name, "")) for row in rows) for name in _ORDER}
    columns = [name for name in _ORDER if widths[name]]
    droppable = [name for name in _LEAST_NEEDED if name in columns]
    while droppable and _needed(columns, widths) > width:
        columns.remove(droppable.pop(0))
    if "label" in columns:
        others = sum(widths[name] for name in columns if name != "label") + _GAP * (len(columns) - 1)
        widths["label"] = min(widths["label"], width - others)
    made = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
    for name in columns:
        made.add_column(width=widths[name], no_wrap=True, justify="right" if name in ("step", "left") else "left")
    for row in rows:
        made.add_row(*(_cell(row.get(name, "")) for name in columns))
    return made


@contextmanager
def shown_live(console: Console) -> Iterator[Display]:
    """A display at the foot of the terminal until the block ends, when it is removed."""
    display = Display(console)
    with messages_above(console), Live(display, console=console, transient=True, refresh_per_second=2):
        yield display


def _needed(columns: Sequence[str], widths: Mapping[str, int]) -> int:
    shortest = {**widths, "label": min(widths["label"], _LABEL)}
    return sum(shortest[name] for name in columns) + _GAP * (len(columns) - 1)


def _width(cell: str | ProgressBar) -> int:
    return cell_len(cell) if isinstance(cell, str) else _BAR


def _cell(cell: str | ProgressBar) -> RenderableType:
    return Text(cell, overflow="ellipsis") if isinstance(cell, str) else cell


def _status(job: Job) -> str:
    """In a word or two; the sentence about the job, printed at the start, has the rest."""
    if job.queue_position is not None:
        return f"waits, {job.queue_position}."
    return "unclear" if job.unclear else str(job.status)


def _clock(time: timedelta) -> str:
    """A duration: 4:10, 1:04:10, or 2 d 3 h."""
    if time >= _A_DAY:
        return f"{time.days} d {time.seconds // 3600} h"
    minutes, seconds = divmod(round(time.total_seconds()), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}" if minutes >= 60 else f"{minutes}:{seconds:02}"


def _note(hidden: int, ended: int, total: int) -> str:
    parts = [f"and {counted(hidden, 'more job')}"] if hidden else []
    parts += [f"{ended} of {counted(total, 'job')} ended"] if ended and total > 1 else []
    return ", ".join(parts)
