"""How fast this machine trains a model: as the newest job there reported it, or measured with a few rows."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from statistics import median
from typing import NamedTuple

from ftbridge.context import Context
from ftbridge.jobs.cancel_pause_resume import cancel
from ftbridge.jobs.submit import submit
from ftbridge.ledger import MEASUREMENT
from ftbridge.model import Method, Status
from ftbridge.removal.delete import delete
from ftbridge.target import Target
from ftbridge.watching.follow import wait


class Speed(NamedTuple):
    """Tokens per second, and when that was seen."""

    tokens_per_second: float
    on: date


def speed(context: Context, target: Target) -> Speed | None:
    """The median of the newest job at the target that reports it; `None` where none does."""
    for record in reversed(context.ledger.jobs()):
        if record.job.target == str(target):
            reported = [event.tokens_per_second for _, event in context.ledger.events(record.job.id)]
            if known := [value for value in reported if value]:
                return Speed(median(known), record.job.created_at.astimezone().date())
    return None


def measure_speed(context: Context, data: Path, to: str, method: Method | str) -> None:
    """Train a file of a few rows, so that `speed` knows it, and remove what that leaves; the ledger keeps its events.

    Warns where the training fails. A measurement that is interrupted is cancelled.
    """
    job = submit(context, data, to, method=method, group=MEASUREMENT, epochs=1, again=True)
    try:
        job = wait(context, job)
        if job.status is not Status.SUCCEEDED:
            context.warn(f"the speed of {to} could not be measured: {job.error or job.status}")
    except BaseException:
        cancel(context, job)
        raise
    finally:
        delete(context, job, result=True)
