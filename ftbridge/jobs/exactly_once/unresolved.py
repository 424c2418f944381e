"""Jobs that ended here without having been seen, and that their vendor may have made all the same.

A vendor that answers 404 may have made the job, and its list may lag: the job is failed, and is looked for until
its absence is proved. One that turns up goes on, or is cancelled at the vendor where it was cancelled here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from ftbridge.context import Context
from ftbridge.errors import FtbridgeError
from ftbridge.jobs.exactly_once.absence import look_up, seconds_left
from ftbridge.jobs.exactly_once.adoption import adopt, ensure_started
from ftbridge.jobs.exactly_once.closing import cancel
from ftbridge.jobs.exactly_once.unclear import explain
from ftbridge.jobs.steering import steer
from ftbridge.ledger import Ledger, Record
from ftbridge.model import FINAL, Event, Status, now
from ftbridge.provider import Provider

_PAUSE = 0.5  # seconds between two looks at the clock


def resolve(record: Record, provider: Provider, ledger: Ledger) -> Record:
    """Lookup for such a job once; it is as it is then. Raises what the vendor answers instead of its list."""
    with ledger.lock(record.job.id) as mine:
        record = ledger.job(record.job.id)
        if not mine or not record.unconfirmed:
            return record
        look = look_up(record, provider, ledger)
        if not look.found:
            record = ledger.job(record.job.id)
            return (ledger.change(record, user_key=None, unclear=None) or record) if look.absent else record
        unwanted = record.job.status is Status.CANCELLED
        found = look.found if unwanted else ensure_started(record, look.found, provider, ledger)
        what = f"{provider.name} has made the job all the same: {found[0].remote_id}"
        if unwanted and found[0].status.final:
            what = f"{what}; it {found[0].status} before it could be cancelled, look whether it is billed"
        elif unwanted:
            steer(provider, found[0].remote_id, provider.cancel, FINAL)
            what = f"{what}; it was cancelled there"
        return adopt(
            ledger.job(record.job.id), found, provider, ledger, events=[Event(at=now(), kind="message", message=what)]
        )


def cancel_unclear(record: Record, provider: Provider, ledger: Ledger) -> Record:
    """Cancel a job that is `submitting`, or was refused, of which nobody knows whether its vendor has it.

    One that is found is adopted, and still to be cancelled; else it is not sent again, and cancelled at the vendor
    as soon as it turns up there.
    """
    with ledger.lock(record.job.id) as mine:
        record = ledger.job(record.job.id)
        if not mine or not _can_be_given_up(record):
            return record
        look = look_up(record, provider, ledger, patience=False)
        record = ledger.job(record.job.id)
        if look.found:
            return adopt(record, look.found, provider, ledger)
    return give_up(record, ledger, f"if {provider.name} has made it, it is cancelled there as soon as it is seen")


def _can_be_given_up(record: Record) -> bool:
    refused = record.unconfirmed and record.job.status is Status.FAILED
    return refused or record.job.status is Status.SUBMITTING


def give_up(record: Record, ledger: Ledger, why: str) -> Record:
    """Cancel a job without asking its vendor: it is not sent again, and cancelled there if it turns up."""
    with ledger.lock(record.job.id) as mine:
        record = ledger.job(record.job.id)
        if not mine or not _can_be_given_up(record):
            return record
        return cancel(ledger, record, why) or ledger.job(record.job.id)


def resolve_all(context: Context, names: Iterable[str] | None = None) -> list[FtbridgeError]:
    """Lookup for all such jobs whose time is over, at the providers of those names; what stood in the way."""
    problems = []
    for record in context.ledger.unconfirmed():
        if names is not None and record.provider not in names:
            continue
        try:
            provider = context.provider_named(record.provider)
            if seconds_left(record, provider) <= 0:
                resolve(record, provider, context.ledger)
        except FtbridgeError as problem:
            problems.append(problem)
    return problems


def resolve_or_wait(record: Record, provider: Provider, ledger: Ledger, say: Callable[[str], None]) -> Record:
    """Lookup for such a job, and wait until it is there or its absence is proved; that may be open even then."""
    record = resolve(record, provider, ledger)
    left = seconds_left(record, provider)
    if not record.unconfirmed or left <= 0:
        return record
    say(f"{explain(record.job)}; waiting {left:.0f} s until its listing tells")
    deadline = time.monotonic() + left
    while time.monotonic() < deadline:
        time.sleep(min(_PAUSE, max(0.0, deadline - time.monotonic())))
    return resolve(record, provider, ledger)
