"""Jobs that the vendor may or may not have: why that is unclear, until when, and what a person can do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ftbridge.jobs.exactly_once.absence import at_other_account, remaining
from ftbridge.ledger import Record
from ftbridge.model import Job, Status, Unclear, now
from ftbridge.provider import Provider


def with_reason(record: Record, provider: Provider) -> Job:
    """The unclear job with the reason, and the time when the vendor's listing would show it, if known."""
    fields: dict[str, Any] = {"unclear": Unclear.NOT_LISTED}
    if at_other_account(record, provider):
        fields["unclear"] = Unclear.OTHER_ACCOUNT
    elif (seconds := remaining(record, provider)) is not None:
        fields["unclear_until"] = now() + timedelta(seconds=seconds)
    return record.job.model_copy(update=fields)


def explain(job: Job) -> str:
    """What is unclear about the job."""
    provider = job.target.partition(":")[0]
    if job.status is Status.SUBMITTING:
        what = f"it is not known whether {provider} has job {job.id}"
    else:
        ended = "was refused" if job.status is Status.FAILED else "was cancelled here"
        what = f"job {job.id} {ended}, and {provider} may have created it all the same"
    if job.unclear is Unclear.OTHER_ACCOUNT:
        return f"{what}: it was requested with another API key or base URL than the one set now"
    return what


def next_steps(job: Job) -> str:
    """What a person can do about it, as sentences."""
    cancel = f"`ftbridge cancel {job.id}` gives it up" if job.status is not Status.CANCELLED else ""
    if job.unclear is Unclear.OTHER_ACCOUNT:
        again = "`ftbridge submit --again` creates another job with the current key and base URL"
        does = "cancels the vendor's job ID" if job.status is Status.CANCELLED else "takes the vendor's job ID for it"
        ways = [f"`ftbridge recover {job.id} --adopt ID` {does}", cancel, again]
        return f"Set that key and base URL again and run `ftbridge recover {job.id}`. Or: {_joined(ways)}."
    if job.unclear_until and job.unclear_until > now():
        then = f"{job.unclear_until.astimezone():%H:%M:%S}"
        check = f"`ftbridge watch` checks again, and so does `ftbridge recover` from {then}"
    else:
        check = f"`ftbridge recover {job.id}` checks again, and `ftbridge events {job.id}` shows what is in the way"
    again = "`ftbridge submit --again` creates another job" if job.status is Status.CANCELLED else ""
    return f"{_joined([check, cancel, again])}."


def _joined(ways: list[str]) -> str:
    return "; ".join(filter(None, ways))
