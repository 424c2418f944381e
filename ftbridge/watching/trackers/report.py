"""What a report is, how trackers are found, and what is written to them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Protocol

from ftbridge.errors import UsageError
from ftbridge.foreign.names import plain_name
from ftbridge.model import Event, Job
from ftbridge.plugins import load_entry, plugin_errors, registered
from ftbridge.wording import did_you_mean

GROUP = "ftbridge.reporters"
_METRICS = (
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
    """One job's run in a tracker: a new one, or the one that an earlier report of the job began.

    `last` is the number of the newest event that the tracker has; 0 where it has none.
    """

    last: int

    def write(self, events: Sequence[tuple[int, Event]]) -> None:
        """Add events, with their numbers; those up to `last` are skipped."""

    def leave(self, job: Job) -> None:
        """Close the run with the job's status, over or not; nothing is written after that."""


def find_tracker(to: str) -> Callable[[Job], Report]:
    """A function that opens a job's report at `to`, which is NAME or NAME:LOCATION; trackers are entry points.

    Raises `UsageError` for an unknown tracker, and `MissingExtra` where its package is not installed.
    """
    name, _, location = to.partition(":")
    found = registered(GROUP)
    if name not in found:
        raise UsageError(
            f"no tracker is called {name!r}",
            hint=f"{did_you_mean(name, found)}Write {', '.join(f'{known}:LOCATION' for known in sorted(found))}.",
        )
    open_report: Callable[[str, Job], Report] = load_entry(found[name], f"tracker {name}", extra=name)

    def open_one(job: Job) -> Report:
        with plugin_errors(f"tracker {name}", found[name], extra=name):
            return open_report(location, job)

    return open_one


def metrics(event: Event) -> dict[str, float]:
    """The metrics of the event, by name; empty where it has none."""
    if event.kind != "metric" or event.step is None:
        return {}
    return {name: value for name in _METRICS if (value := getattr(event, name)) is not None}


def facts(job: Job) -> dict[str, str | int | float]:
    """Constant properties of the job, by which runs can be told apart in a tracker."""
    return {"job": job.id, "target": job.target, "method": job.spec.method.value, **job.spec.hyperparameters.given()}


def run_name(job: Job) -> str:
    """A name for the run, unique to the job and safe as a file name."""
    own = re.sub(r"[^\w.-]+", "-", job.name or "").strip("-.")
    return plain_name(f"{own}-{job.id}" if own else job.id)
