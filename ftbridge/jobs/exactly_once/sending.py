"""The durable submit: no job is paid for twice, whichever process dies, and whatever the vendor answers.

    1. the intent is committed, with its tag           `submitting`, no `posted_at`
    2. the files are uploaded and remembered
    3. `posted_at` is committed, with the window in     a provider runs only so many jobs at once
       which the request can become a job
    4. one request makes the job, carrying the tag
    5. the remote ID is committed                      `queued`, or the vendor's status

After any answer except a valid success, the tag is looked up at the vendor before anything is concluded. A process
that dies, or an answer that says neither yes nor no, leaves the job `submitting`. The next process takes the job's
lock and looks for the tag: a job that is there is adopted; the request is sent again only when its absence is proved
(`absence.py`). A process that finds an intent that it did not write itself also looks first: the ledger may be a copy,
and the original may have sent the request.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from ftbridge.costs.budgets import vendor_price
from ftbridge.errors import (
    AuthenticationFailed,
    BadAnswer,
    ConfigError,
    FtbridgeError,
    InvalidRequest,
    LedgerError,
    MissingExtra,
    NetworkError,
    NotFound,
    NotReached,
    NotStarted,
    ProviderError,
    ProviderRetired,
    QuotaExceeded,
    RateLimited,
    StateError,
)
from ftbridge.files import content_key
from ftbridge.jobs.exactly_once.absence import look_up, window_after, window_before
from ftbridge.jobs.exactly_once.adoption import adopt, ensure_started
from ftbridge.jobs.exactly_once.claims import claim
from ftbridge.jobs.exactly_once.closing import fail
from ftbridge.jobs.request.prepared import prepared_file
from ftbridge.ledger import Ledger, Record, has_free_slot, reserve_slot
from ftbridge.model import Event, Status, now
from ftbridge.provider import Files, Provider
from ftbridge.target import parse_target
from ftbridge.wording import clause

Judge: TypeAlias = Callable[[Record, float], Callable[[Sequence[Record]], None] | None]
"""Takes a job and the vendor's price in US dollars; returns a check of all jobs that raises `OverBudget`."""
_PAUSE = 0.05  # seconds between two checks whether another process is done with a job
ACCOUNT_REFUSED = (AuthenticationFailed, ConfigError, MissingExtra, QuotaExceeded)
_UNCLEAR = frozenset({408, 409, 425, 429, 499})
"""Refusals after which the job may exist: time-outs, conflicts, too many requests."""
_PASSING = _UNCLEAR - {409}
"""Those of them after which another attempt makes sense."""


def submit(
    record: Record,
    provider: Provider,
    ledger: Ledger,
    home: Path,
    *,
    limit: int | None = None,
    queued: bool = False,
    patience: float = 0.0,
    judge: Judge | None = None,
) -> Record:
    """Send a `submitting` job to the vendor, or find it there; the job as it is then.

    It stays `submitting`, and is not sent, while `limit` jobs are running there, while its absence at the vendor is
    not proved, and while another process is sending it, for which this one waits up to `patience` seconds. `judge`
    raises where the vendor's own price is too high. A refusal is raised, and the job is then `failed`. An answer that
    leaves the outcome open, or says to come back later, is raised as well, and the job stays `submitting`; so does a
    job that was `queued` here before, if the key or the account is refused or missing, and not the job itself.
    """
    until = time.monotonic() + patience
    while True:
        with ledger.lock(record.job.id) as locked:
            record = ledger.job(record.job.id)
            if record.job.status is not Status.SUBMITTING:
                return record
            if locked:
                return _submit_locked(record, provider, ledger, home, limit=limit, queued=queued, judge=judge)
        if time.monotonic() >= until:
            return record
        time.sleep(_PAUSE)


def _submit_locked(
    record: Record,
    provider: Provider,
    ledger: Ledger,
    home: Path,
    *,
    limit: int | None,
    queued: bool,
    judge: Judge | None,
) -> Record:
    """What `submit` does once this process holds the job's lock."""
    if record.posted_at or record.job.id not in ledger.written:
        lookup = look_up(record, provider, ledger)
        if lookup.jobs:
            return adopt(record, ensure_started(record, lookup.jobs, provider, ledger), provider, ledger)
        if not lookup.absent:
            return ledger.job(record.job.id)
        if record.unclear and not record.unclear.resend:
            return fail(ledger, record.job.id, record.job.error or "the vendor refused it")
    record = ledger.job(record.job.id)
    if not has_free_slot(ledger, record, limit) or (queued and not has_files(record, provider, ledger, home)):
        return record
    try:
        record, files = _upload_files(record, provider, ledger, home, judge)
    except FtbridgeError as problem:
        if _is_temporary(problem) or (queued and isinstance(problem, ACCOUNT_REFUSED)):
            problem.hint = f"{problem.hint} {_what_stays(record)}".strip()
        else:
            fail(ledger, record.job.id, problem.message)
        raise
    return _send(record, files, provider, ledger, limit=limit, queued=queued)


def _upload_files(
    record: Record, provider: Provider, ledger: Ledger, home: Path, judge: Judge | None
) -> tuple[Record, Files]:
    """The job with its files at the vendor and, where the vendor quotes one, its price."""
    model = parse_target(record.job.target).model
    training = _upload(record.prepared.training, provider, ledger, home)
    validation = _upload(record.prepared.validation, provider, ledger, home) if record.prepared.validation else None
    files = Files(training=training, validation=validation)
    price = vendor_price(provider, record.job.spec, model, files)
    if price is not None:
        check = judge(record, price) if judge else None
        record = ledger.change(record, check=check, estimate_usd=price, estimate_usd_high=price) or record
    return record, files


def _send(
    record: Record, files: Files, provider: Provider, ledger: Ledger, *, limit: int | None, queued: bool
) -> Record:
    """The one request that creates the job."""
    window = window_before(provider, files.training)
    posted = reserve_slot(ledger, record, limit, account=provider.account, window=window)
    # where a new job is listed at once, looking for it is enough, and no claim outside the home is needed
    if posted is None or (provider.listing_lag_seconds and not claim(posted.job.id, posted.attempts)):
        return ledger.job(record.job.id)
    try:
        model = parse_target(posted.job.target).model
        made = provider.create(posted.job.spec, model, files, tag=posted.job.id)
        if ledger.knows(posted.provider, made.remote_id):
            raise BadAnswer(
                f"{provider.name} answered with {made.remote_id}, which is another job's ID",
                provider=provider.name,
                hint="A proxy or gateway may be between.",
            )
    except FtbridgeError as problem:
        return _after_trouble(posted, problem, files, provider, ledger, queued=queued)
    return adopt(posted, [made], provider, ledger)


def _after_trouble(
    record: Record, problem: FtbridgeError, files: Files, provider: Provider, ledger: Ledger, *, queued: bool
) -> Record:
    """The job, if the vendor has it whatever it answered; otherwise raises the answer, with what follows from it."""
    refused = _is_refusal(problem) and not (queued and isinstance(problem, ACCOUNT_REFUSED))
    if isinstance(problem, NotReached):
        ledger.change(record, posted_at=None, unclear=None, account=None)
        problem.hint = f"{problem.hint} {_what_stays(record)}".strip()
        raise problem
    if isinstance(problem, LedgerError | NotStarted):  # it may exist, and the ledger cannot be written; or it exists
        problem.hint = f"{problem.hint} {_looked_for(record, provider)}".strip()
        raise problem
    if not isinstance(problem, ProviderError | NetworkError):  # nothing was requested, or it was undone
        fail(ledger, record.job.id, problem.message)
        raise problem
    window = window_after(provider, files.training, problem, resend=not refused and _may_be_sent_again(problem))
    record = ledger.change(record, unclear=window, error=problem.message) or ledger.job(record.job.id)
    lookup = look_up(record, provider, ledger, patience=False)
    if lookup.jobs:
        what = f"{clause(problem.message)}; but {provider.name} has created the job"
        event = Event(at=now(), kind="message", message=what)
        return adopt(record, ensure_started(record, lookup.jobs, provider, ledger), provider, ledger, events=[event])
    if isinstance(problem, InvalidRequest | NotFound):
        # a file that was deleted at the vendor is one of the reasons: the next attempt checks for it again
        ledger.forget_uploads(provider.account, [name for name in (files.training, files.validation) if name])
    if refused:
        fail(ledger, record.job.id, problem.message, unclear=not lookup.absent)
        if not lookup.absent:
            again = f"`ftbridge recover` makes sure that {provider.name} has not created it all the same."
            problem.hint = f"{problem.hint} {again}".strip()
    else:
        problem.hint = f"{problem.hint} {_looked_for(record, provider)}".strip()
    raise problem


def _what_stays(record: Record) -> str:
    return (
        f"Job {record.job.id} stays here and is sent by the next `ftbridge submit`, `ftbridge watch` or"
        f" `ftbridge recover`; `ftbridge cancel {record.job.id}` drops it."
    )


def _looked_for(record: Record, provider: Provider) -> str:
    return (
        f"The same command, `ftbridge watch` or `ftbridge recover` checks whether {provider.name} has job"
        f" {record.job.id}, and sends it only if it does not; `ftbridge cancel {record.job.id}` drops it."
    )


def _is_refusal(problem: FtbridgeError) -> bool:
    """Whether the vendor says that it has not created the job and will not."""
    if not isinstance(problem, ProviderError) or problem.status is None:
        return False
    if isinstance(problem, QuotaExceeded):  # including a 429 that waiting does not end
        return True
    return isinstance(problem, ProviderRetired) or (400 <= problem.status < 500 and problem.status not in _UNCLEAR)


def _may_be_sent_again(problem: FtbridgeError) -> bool:
    """Whether the vendor may accept the same request later."""
    if not isinstance(problem, ProviderError):
        return True
    account = isinstance(problem, ACCOUNT_REFUSED)  # which may be fixed while the job waits
    return account or problem.status is None or problem.status in _PASSING or problem.status >= 500


def _is_temporary(problem: FtbridgeError) -> bool:
    """Whether an error before the request was sent may be over at the next attempt."""
    if isinstance(problem, ProviderError):
        trouble = problem.status is None or problem.status >= 500
        return isinstance(problem, RateLimited) or (trouble and not isinstance(problem, ProviderRetired))
    return isinstance(problem, NetworkError | LedgerError)  # a failed commit may have happened all the same


def has_files(record: Record, provider: Provider, ledger: Ledger, home: Path) -> bool:
    """Whether this machine can send the job: with a shared ledger, the files are where it was submitted."""
    keys = [key for key in (record.prepared.training, record.prepared.validation) if key]
    return all(prepared_file(home, key).exists() or ledger.upload(provider.account, key) for key in keys)


def _upload(key: str, provider: Provider, ledger: Ledger, home: Path) -> str:
    known = ledger.upload(provider.account, key)
    if known:
        return known
    file = prepared_file(home, key)
    if not file.exists():
        raise StateError(
            f"the prepared file {file} is gone",
            hint="Submit the dataset again; nothing was sent to the vendor.",
        )
    if content_key(file) != key:
        raise StateError(
            f"the prepared file {file} has changed since it was checked",
            hint="Submit the dataset again, which checks and writes it again; nothing was sent to the vendor.",
        )
    remote_file = provider.upload(file, key=key)
    ledger.remember_upload(provider.account, key, remote_file)
    return remote_file
