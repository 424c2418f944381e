"""Jobs that ended here without an answer that settles it: their vendor may have created them all the same.

A vendor that answers 404 may have created the job, and its list may lag: the job is failed, and is looked for until
its absence is proved. If it turns up, it goes on, or it is cancelled at the vendor if it was cancelled here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from ftbridge.context import Context
from ftbridge.errors import FtbridgeError
from ftbridge.jobs.exactly_once.absence import look_up, seconds_left
from ftbridge.jobs.exactly_once.adoption import adopt, adopt_or_cancel
from ftbridge.jobs.exactly_once.closing import cancel
from ftbridge.jobs.exactly_once.explain_unclear import explain
from ftbridge.jobs.request.kept_data import remove_unneeded
from ftbridge.ledger import Ledger, Record
from ftbridge.model import Status
from ftbridge.provider import Provider

_PAUSE = 0.5  # seconds to sleep at a time


def resolve(record: Record, provider: Provider, ledger: Ledger) -> Record:
    """Look for such a job once; the job as it is then. Raises the vendor's error if its list cannot be read."""
    with ledger.lock(record.job.id) as locked:
        record = ledger.job(record.job.id)
        if not locked or not record.unconfirmed:
            return record
        lookup = look_up(record, provider, ledger)
        if lookup.jobs:
            what = f"{provider.name} has created the job all the same: {lookup.jobs[0].remote_id}"
            return adopt_or_cancel(record, lookup.jobs, provider, ledger, what=what)
        record = ledger.job(record.job.id)
        if not lookup.absent:
            return record
        record = ledger.change(record, user_key=None, unclear=None) or record
    remove_unneeded(provider.home, ledger)
    return record


def cancel_unclear(record: Record, provider: Provider, ledger: Ledger) -> Record:
    """Cancel a job that is `submitting`, or was refused, while it is not known whether its vendor has it.

    If it is found, it is adopted, and the caller has to cancel it. Otherwise it is not sent again, and is cancelled at
    the vendor as soon as it turns up there.
    """
    with ledger.lock(record.job.id) as locked:
        record = ledger.job(record.job.id)
        if not locked or not _can_be_given_up(record):
            return record
        lookup = look_up(record, provider, ledger, patience=False)
        record = ledger.job(record.job.id)
        if lookup.jobs:
            return adopt(record, lookup.jobs, provider, ledger)
    return give_up(record, ledger, f"if {provider.name} has created it, it is cancelled there as soon as it is listed")


def _can_be_given_up(record: Record) -> bool:
    refused = record.unconfirmed and record.job.status is Status.FAILED
    return refused or record.job.status is Status.SUBMITTING


def give_up(record: Record, ledger: Ledger, why: str) -> Record:
    """Cancel a job without asking its vendor: it is not sent again, and is cancelled there if it turns up."""
    with ledger.lock(record.job.id) as locked:
        record = ledger.job(record.job.id)
        if not locked or not _can_be_given_up(record):
            return record
        return cancel(ledger, record, why) or ledger.job(record.job.id)


def resolve_all(context: Context, names: Iterable[str] | None = None) -> list[FtbridgeError]:
    """Look for all such jobs at the providers of those names; the errors on the way."""
    problems = []
    for record in context.ledger.unconfirmed():
        if names is not None and record.provider not in names:
            continue
        try:
            provider = context.provider_named(record.provider)
            resolve(record, provider, context.ledger)
        except FtbridgeError as problem:
            problems.append(problem)
    return problems


def resolve_or_wait(record: Record, provider: Provider, ledger: Ledger, warn: Callable[[str], None]) -> Record:
    """Look for such a job, and wait until it is found or its absence is proved; that may be open even then."""
    record = resolve(record, provider, ledger)
    if not record.unconfirmed:
        return record
    left = seconds_left(record, provider)  # 0 where the window ended while the list was read, which proved nothing
    if left <= 0:
        return resolve(record, provider, ledger)
    warn(f"{explain(record.job)}; waiting {left:.0f} s until its listing would show it")
    deadline = time.monotonic() + left
    while time.monotonic() < deadline:
        time.sleep(min(_PAUSE, max(0.0, deadline - time.monotonic())))
    return resolve(record, provider, ledger)
