"""What a report is, where trackers are found, and what they are told."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Protocol

from ftbridge.errors import UsageError
from ftbridge.model import Event, Job
from ftbridge.plugins import load_entry, registered
from ftbridge.wording import did_you_mean

GROUP = "ftbridge.reporters"
_FIGURES = (
    "train_loss",
    "valid_loss",
    "train_reward",
    "valid_reward",
    "token_accuracy",
    "learning_rate",
    "grad_norm",
    "tokens",
    "tokens_per_second",
    "peak_memory",
    "epoch",
)


class Report(Protocol):
    """One job's run in a tracker: a new one, or that which an earlier report of the job began.

    `last` is the number of the newest event that the tracker has; 0 where it has none.
    """

    last: int

    def write(self, events: Sequence[tuple[int, Event]]) -> None:
        """Add events, with their numbers; those up to `last` are passed over."""

    def leave(self, job: Job) -> None:
        """Put the run down as the job stands, over or not; nothing is written after that."""


def find_tracker(to: str) -> Callable[[Job], Report]:
    """What opens a job's report at `to`, which is NAME or NAME:PLACE. Found by entry point, ours and others' alike.

    Raises `UsageError` for a tracker that nobody registered, and `MissingExtra` where its package is absent.
    """
    name, _, place = to.partition(":")
    found = registered(GROUP)
    if name not in found:
        raise UsageError(
            f"no tracker is called {name!r}",
            hint=f"{did_you_mean(name, found)}Write {', '.join(f'{known}:PLACE' for known in sorted(found))}.",
        )
    open_report: Callable[[str, Job], Report] = load_entry(found[name], f"tracker {name}", extra=name)
    return lambda job: open_report(place, job)


def figures(event: Event) -> dict[str, float]:
    """What was measured at the event's step, by our words; empty where nothing was."""
    if event.kind != "metric" or event.step is None:
        return {}
    return {name: figure for name in _FIGURES if (figure := getattr(event, name)) is not None}


def facts(job: Job) -> dict[str, str | int | float]:
    """What the job is, for a tracker to tell runs apart by; nothing of it changes."""
    return {"job": job.id, "target": job.target, "method": job.spec.method.value, **job.spec.hyperparameters.given()}


def run_name(job: Job) -> str:
    """A name that people know the job by, fit for a file, and no other job's."""
    own = re.sub(r"[^\w.-]+", "-", job.name or "").strip("-.")
    return f"{own}-{job.id}" if own else job.id
