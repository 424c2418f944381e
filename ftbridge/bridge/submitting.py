"""The durable submit: nothing is paid twice, whatever dies when.

    1. the intent is committed, with its tag           `submitting`, no `posted_at`
    2. the files are uploaded and remembered
    3. `posted_at` is committed, which takes a place   only so many jobs run at a provider at once
    4. one request makes the job, carrying the tag
    5. the remote id is committed                      `queued`, or whatever the vendor says

A process that dies, or an answer that says neither yes nor no, leaves the job `submitting`.
Whoever comes next takes the job's lock and looks at the vendor for the tag: a job that is
there is adopted; only if none is there, and the vendor's listing has had time to show it, is
the request sent again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from ftbridge.bridge.guard import vendor_price
from ftbridge.bridge.monitor import cost_told
from ftbridge.bridge.prepare import prepared_file
from ftbridge.errors import (
    AuthenticationFailed,
    ConfigError,
    FtbridgeError,
    InvalidRequest,
    LedgerError,
    MissingExtra,
    NetworkError,
    NotFound,
    OverBudget,
    ProviderError,
    ProviderRetired,
    QuotaExceeded,
    RateLimited,
    StateError,
)
from ftbridge.files import content_key
from ftbridge.ledger import Ledger, Record, has_place, take_place
from ftbridge.model import Event, Status, now
from ftbridge.provider import Files, Provider, RemoteJob
from ftbridge.target import parse_target

_PAUSE = 0.05  # seconds between two looks whether another process is done with a job
ACCOUNT_REFUSED = (AuthenticationFailed, ConfigError, MissingExtra, QuotaExceeded)


def submit(
    record: Record,
    provider: Provider,
    ledger: Ledger,
    home: Path,
    *,
    most: int | None = None,
    queued: bool = False,
    patience: float = 0.0,
) -> Record:
    """Bring a `submitting` job to the vendor, or find it there; the job as it is then.

    It stays `submitting`, and the vendor is not asked, while `most` jobs are under way there already, and
    while another process is at it, which is waited for as many seconds as there is `patience`.
    Raises what the vendor refused with; the job is then `failed`. An answer that leaves the outcome
    open, or asks for patience, is raised as well, and the job stays `submitting`; so does one that was
    `queued` here before, where the key or the account is refused, or missing here, and not the job.
    """
    until = time.monotonic() + patience
    while True:
        with ledger.lock(record.job.id) as mine:
            record = ledger.job(record.job.id)
            if record.job.status is not Status.SUBMITTING:
                return record
            if mine:
                return _bring(record, provider, ledger, home, most=most, queued=queued)
        if time.monotonic() >= until:
            return record
        time.sleep(_PAUSE)


def _bring(record: Record, provider: Provider, ledger: Ledger, home: Path, *, most: int | None, queued: bool) -> Record:
    """What `submit` does, by whoever has the job's lock."""
    if record.posted_at and (found := provider.find(record.job.id)):
        return _adopt(record, _started(record, found, provider, ledger), provider, ledger)
    if (certain := listed_by(record, provider.listing_lag_seconds)) and now() < certain:
        return record
    if not has_place(ledger, record, most) or (queued and not _files_are_here(record, provider, ledger, home)):
        return record
    try:
        return _create(record, provider, ledger, home, most)
    except FtbridgeError as problem:
        if isinstance(problem, RateLimited) or (queued and isinstance(problem, ACCOUNT_REFUSED)):
            _put_back(ledger, record.job.id, problem)
        elif _leaves_it_open(problem):
            problem.hint = f"{problem.hint} `ftbridge recover` looks whether job {record.job.id} was made.".strip()
        else:
            _fail(ledger, record.job.id, problem)
        raise


def listed_by(record: Record, lag_seconds: float) -> datetime | None:
    """When the vendor's listing shows the job if it was made; `None` where it was never asked for."""
    return record.posted_at and record.posted_at + timedelta(seconds=lag_seconds)


def _create(record: Record, provider: Provider, ledger: Ledger, home: Path, most: int | None) -> Record:
    model = parse_target(record.job.target).model
    training = _upload(record.prepared.training, provider, ledger, home)
    validation = _upload(record.prepared.validation, provider, ledger, home) if record.prepared.validation else None
    files = Files(training=training, validation=validation)
    price = vendor_price(provider, record.job.spec, model, files)
    if price is not None:
        record = ledger.change(record, estimate_usd=price, estimate_usd_high=price) or record
    posted = take_place(ledger, record, most)
    if posted is None:
        return ledger.job(record.job.id)
    try:
        made = provider.create(record.job.spec, model, files, tag=record.job.id)
    except (InvalidRequest, NotFound):
        # a file that was deleted at the vendor is among the reasons: the next try is to look for it again
        ledger.forget_uploads(provider.account, [name for name in (training, validation) if name])
        raise
    return _adopt(posted, [made], provider, ledger)


def _files_are_here(record: Record, provider: Provider, ledger: Ledger, home: Path) -> bool:
    """Whether this machine can send the job: where many share a ledger, the files are where it was asked for."""
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
            hint="Submit the dataset again; nothing was asked of the vendor.",
        )
    if content_key(file) != key:
        raise StateError(
            f"the prepared file {file} is not what was checked: it has changed since",
            hint="Submit the dataset again, which checks and writes it anew; nothing was asked of the vendor.",
        )
    remote_file = provider.upload(file, key=key)
    ledger.remember_upload(provider.account, key, remote_file)
    return remote_file


def _started(record: Record, found: Sequence[RemoteJob], provider: Provider, ledger: Ledger) -> list[RemoteJob]:
    """The vendor's jobs, the oldest of which runs now; its price is judged as if it had just been made."""
    oldest, *others = found
    try:
        return [provider.start(oldest, record.job.spec), *others]
    except OverBudget as problem:
        _fail(ledger, record.job.id, problem)
        raise


def _adopt(record: Record, found: Sequence[RemoteJob], provider: Provider, ledger: Ledger) -> Record:
    """Make the oldest of the vendor's jobs the ledger's; whatever else was made is cancelled first, and told."""
    remote, *others = found
    told = [_cancel_double(other, remote, provider) for other in others]
    # a job that is over already is ended by the next look at it, which brings its result, error and events along
    status = Status.QUEUED if remote.status.final else remote.status
    adopted = ledger.change(
        record,
        [*told, Event(at=now(), kind="status", status=status)],
        status=status,
        raw_status=remote.raw_status,
        remote_id=remote.remote_id,
        progress_at=now(),
        **cost_told(record.job.cost, remote),
    )
    return adopted or ledger.job(record.job.id)


def _cancel_double(double: RemoteJob, kept: RemoteJob, provider: Provider) -> Event:
    """Stop a job that should not be there. Raises where the vendor cannot be asked, so that it is tried again."""
    what = f"{provider.name} has a second job of this one request, {double.remote_id}, beside {kept.remote_id}"
    if not double.status.final:
        try:
            provider.cancel(double.remote_id)
        except InvalidRequest as problem:
            return Event(at=now(), kind="message", message=f"{what}; it could not be cancelled: {problem.message}")
        return Event(at=now(), kind="message", message=f"{what}; it was cancelled, look whether it is billed")
    return Event(at=now(), kind="message", message=f"{what}; it {double.status} already, look whether it is billed")


def _leaves_it_open(problem: FtbridgeError) -> bool:
    """Whether the vendor may have made the job all the same."""
    if isinstance(problem, ProviderError):
        return problem.status is None or (problem.status >= 500 and not isinstance(problem, ProviderRetired))
    return isinstance(problem, NetworkError | LedgerError)  # what cannot be written now may be true all the same


def _put_back(ledger: Ledger, job_id: str, problem: FtbridgeError) -> None:
    """The vendor takes no more for the moment: nothing was made, and the job goes back to its place in the queue."""
    record = ledger.job(job_id)
    if record.posted_at:
        event = Event(at=now(), kind="message", message=f"{problem.message}; the job waits here and is sent again")
        ledger.change(record, [event], posted_at=None)


def _fail(ledger: Ledger, job_id: str, problem: FtbridgeError) -> None:
    event = Event(at=now(), kind="status", status=Status.FAILED, message=problem.message)
    # the key is free again: nothing was made, so the user's next try is not a repetition
    fields = {"status": Status.FAILED, "error": problem.message, "finished_at": now(), "user_key": None}
    ledger.change(ledger.job(job_id), [event], **fields)
