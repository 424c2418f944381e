"""Whether a vendor has a job: it is found by its tag, its absence is proved, or it is not known yet.

Absence is proved when the vendor's list, read to its end with the account that was asked, does not show the job
although the time is over in which it could be created and listed; and when the list has no untagged job of the same
file and model, from which a gateway may have stripped the tag.
"""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from ftbridge.errors import ConfigError, FtbridgeError, ListingUnfinished, NetworkError, ProviderError, Unsupported
from ftbridge.ledger import Ledger, Record
from ftbridge.ledger.window import Window, elapsed, this_moment
from ftbridge.model import Event, Status, now
from ftbridge.provider import Listed, Provider, RemoteJob
from ftbridge.target import parse_target

_LONG_AGO = timedelta(days=30)
"""An untagged job that is older than the request by this much is another one, however wrong a clock may be."""


_OTHER_ACCOUNT = "the job was requested with another API key or base URL than those that are set now"


class Lookup(NamedTuple):
    """The vendor's jobs that carry the tag, best first; where there are none, whether that proves it `absent`."""

    jobs: list[RemoteJob]
    absent: bool = False


def look_up(record: Record, provider: Provider, ledger: Ledger, *, patience: bool = True) -> Lookup:
    """Look for the job at its vendor. What keeps its absence from being proved becomes an event of the job.

    Raises the vendor's error if its list cannot be read; without `patience` the question then stays open.
    """
    try:
        began = this_moment().uptime
        jobs = provider.find(record.job.id)
        # the oldest of several is kept, unless it has failed and a younger one has not
        jobs.sort(key=lambda job: job.status in (Status.FAILED, Status.CANCELLED))
        return Lookup(jobs) if jobs else _prove_absence(record, provider, ledger, began)
    except ListingUnfinished as problem:
        add_message(record, problem.message, ledger)
        return Lookup([])
    except (ProviderError, NetworkError) as problem:
        if patience:
            if at_other_account(record, provider):
                problem.hint = f"{problem.hint} {_OTHER_ACCOUNT[0].upper()}{_OTHER_ACCOUNT[1:]}.".strip()
            raise
        return Lookup([])


def window_before(provider: Provider, training_file: str) -> Window:
    """The time in which a request that is about to be sent can become a listed job, if its sender dies."""
    return Window(opened=this_moment(provider.vendor_time()), training_file=training_file)


def window_after(provider: Provider, training_file: str, problem: FtbridgeError, *, resend: bool) -> Window:
    """The time in which the request that ended with `problem` can become a listed job.

    A vendor that refuses a request is done with it. A 5xx, or a broken connection, may come from a gateway while the
    vendor behind it is still working on the request.
    """
    status = problem.status if isinstance(problem, ProviderError) else None
    return Window(
        opened=this_moment(provider.vendor_time()),
        answered=status is not None and status < 500,
        resend=resend,
        training_file=training_file,
    )


def remaining(record: Record, provider: Provider) -> float | None:
    """The seconds until the job's absence can be proved, below 0 once they are over; `None` where no clock can tell."""
    if record.unclear is None:
        return None
    passed = elapsed(record.unclear.opened, this_moment(provider.vendor_time()))
    return None if passed is None else _seconds(record.unclear, provider) - passed


def seconds_left(record: Record, provider: Provider) -> float:
    """The seconds until the job's absence can be proved; 0 also where only asking the vendor can tell."""
    return max(0.0, remaining(record, provider) or 0.0)


def at_other_account(record: Record, provider: Provider) -> bool:
    """Whether the job was requested with another API key or base URL than those that are set now."""
    try:
        return record.account not in (None, provider.account)
    except ConfigError:  # no key is set, and asking the vendor says so
        return False


def add_message(record: Record, what: str, ledger: Ledger, *, code: str | None = None) -> None:
    """Add a message to the job's events, unless it is the last one already."""
    known = ledger.events(record.job.id)
    if not known or known[-1][1].message != what:
        ledger.change(ledger.job(record.job.id), [Event(at=now(), kind="message", code=code, message=what)])


def _seconds(window: Window, provider: Provider) -> float:
    return provider.listing_lag_seconds + (0.0 if window.answered else provider.in_flight_seconds)


def _prove_absence(record: Record, provider: Provider, ledger: Ledger, began: float) -> Lookup:
    if at_other_account(record, provider):
        add_message(record, _OTHER_ACCOUNT, ledger)
        return Lookup([])
    if record.posted_at and not _window_was_over(record, provider, ledger, began):
        return Lookup([])
    listed = _similar(record, provider, ledger)
    if listed is None:
        return Lookup([], absent=True)
    if listed.tag:  # this list shows it although `find` did not
        return Lookup([listed.remote])
    add_message(record, _lost_its_tag(record, provider.name, listed.remote.remote_id), ledger)
    return Lookup([])


def _lost_its_tag(record: Record, vendor: str, remote_id: str) -> str:
    adopt, cancel = f"`ftbridge recover {record.job.id} --adopt {remote_id}`", f"`ftbridge cancel {record.job.id}`"
    found = f"{vendor} has {remote_id}, without a tag, of the same file and model. If it is this job: {adopt}"
    if record.job.status is Status.CANCELLED:
        return f"{found} cancels it there. If not: `ftbridge submit --again` creates another one"
    return f"{found}. If not: {cancel}, and then `ftbridge submit --again` creates another one"


def _window_was_over(record: Record, provider: Provider, ledger: Ledger, began: float) -> bool:
    """Whether the job's window was over when reading the list began, in seconds of uptime.

    A list that is read before the window's end proves nothing, however long reading it takes. Where no clock can tell,
    the window starts again.
    """
    at = this_moment(provider.vendor_time())
    passed = elapsed(record.unclear.opened, at) if record.unclear else None
    if record.unclear and passed is not None:
        return passed - (at.uptime - began) >= _seconds(record.unclear, provider)
    restarted = record.unclear.model_copy(update={"opened": at}) if record.unclear else Window(opened=at)
    ledger.change(ledger.job(record.job.id), unclear=restarted)
    return _seconds(restarted, provider) <= 0


def _similar(record: Record, provider: Provider, ledger: Ledger) -> Listed | None:
    """A job in the vendor's list that has the tag, or that may be this job without its tag."""
    file = (record.unclear and record.unclear.training_file) or ledger.upload(
        provider.account, record.prepared.training
    )
    if file is None:
        return None
    try:
        known = ledger.remote_ids(record.provider)
        unknown = [job for job in provider.jobs() if job.remote.remote_id not in known]
    except Unsupported:
        return None
    if provider.listing_lag_seconds:  # without a lag `find` is certain, and a listed job may still be unstarted
        for job in unknown:
            if job.tag == record.job.id:
                return job
    if not record.attempts:  # a job that was never sent cannot have lost its tag
        return None
    return next((job for job in unknown if not job.tag and _is_alike(job, file, record)), None)


def _is_alike(job: Listed, file: str, record: Record) -> bool:
    model = parse_target(record.job.target).model
    same_model = job.model.startswith(model) or model.startswith(job.model)
    return same_model and job.training_file == file and job.created_at >= record.job.created_at - _LONG_AGO
