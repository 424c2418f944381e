"""The words by which a job's status is shown: in tables, on the page of one job, and in lines of `watch`."""

from __future__ import annotations

from datetime import datetime

from ftbridge.cli.output import number
from ftbridge.model import Job, Status, Unclear, now

_ENDED = {Status.SUCCEEDED: "has succeeded", Status.FAILED: "has failed", Status.CANCELLED: "was cancelled"}


def short_time(time: datetime) -> str:
    """A local time to the minute, 11-29 14:05, and of another year the day: 2025-11-29."""
    local = time.astimezone()
    return local.strftime("%m-%d %H:%M" if local.year == datetime.now().astimezone().year else "%Y-%m-%d")


def label(job: Job) -> str:
    """The job's ID, with its name if it has one."""
    return f"{job.id} ({job.name})" if job.name else job.id


def status_text(job: Job) -> str:
    """The status, and of a job that may not be at its vendor how far it is: waiting, not sent, sent, or unclear."""
    if job.status is not Status.SUBMITTING and not job.unclear:
        return str(job.status)
    return f"{job.status}, {_submission(job)}"


def queue_text(job: Job) -> str:
    """The position of a job that waits here for its provider; empty for every other job."""
    if job.queue_position is None:
        return ""
    starts = f", starts about {short_time(job.expected_start)}" if job.expected_start else ""
    return f"waits, position {job.queue_position}{starts}"


def job_sentence(job: Job) -> str:
    """A job's status, step and newest loss in one sentence."""
    if job.queue_position is not None:
        return f"{label(job)} {queue_text(job)}"
    known = [f"{label(job)} {_ENDED.get(job.status, f'is {status_text(job)}')}"]
    if job.latest.step is not None:
        known.append(f"step {job.latest.step}" + (f" of {job.latest.total_steps}" if job.latest.total_steps else ""))
    known += [f"{name} {value}" for name, value in latest_metrics(job).items()][:1]
    return ", ".join(known) + (f": {job.error}" if job.error else "")


def latest_metrics(job: Job) -> dict[str, str]:
    """The newest losses, or, in reinforcement, rewards, by short names."""
    latest = job.latest
    known = {
        "loss": latest.train_loss,
        "reward": latest.train_reward,
        "valid": latest.valid_loss if latest.valid_loss is not None else latest.valid_reward,
    }
    return {name: number(value) for name, value in known.items() if value is not None}


def _submission(job: Job) -> str:
    if job.queue_position is not None:
        return queue_text(job)
    if job.unclear is None:
        return "not sent yet"
    if job.unclear is Unclear.OTHER_ACCOUNT:
        return "unclear: sent with another key or base URL"
    if job.error is None:
        return "sent, no answer yet"
    if job.unclear_until and job.unclear_until > now():
        return f"unclear until {job.unclear_until.astimezone():%H:%M:%S}"
    return "unclear"
