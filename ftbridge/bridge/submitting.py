"""The durable submit: nothing is paid twice, whatever dies when.

    1. the intent is committed, with its tag           `submitting`, no `posted_at`
    2. the files are uploaded and remembered
    3. `posted_at` is committed
    4. one request makes the job, carrying the tag
    5. the remote id is committed                      `queued`, or whatever the vendor says

A process that dies, or an answer that says neither yes nor no, leaves the job `submitting`.
Whoever comes next takes the job's lock and looks at the vendor for the tag: a job that is
there is adopted; only if none is there, and the vendor's listing has had time to show it, is
the request sent again.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from ftbridge.bridge.guard import check_vendor_price
from ftbridge.bridge.prepare import prepared_file
from ftbridge.errors import FtbridgeError, LedgerError, NetworkError, ProviderError, ProviderRetired, StateError
from ftbridge.ledger import Ledger, Record
from ftbridge.model import Event, Status, now
from ftbridge.provider import Files, Provider, RemoteJob
from ftbridge.target import parse_target


def submit(record: Record, provider: Provider, ledger: Ledger, home: Path) -> Record:
    """Bring a `submitting` job to the vendor, or find it there; the job as it is then.

    Raises what the vendor refused with; the job is then `failed`. An answer that leaves the
    outcome open is raised as well, and the job stays `submitting`.
    """
    with ledger.lock(record.job.id) as mine:
        record = ledger.job(record.job.id)
        if not mine or record.job.status is not Status.SUBMITTING:
            return record
        if record.posted_at and (found := provider.find(record.job.id)):
            return _adopt(record, found[0], ledger)
        if record.posted_at and now() - record.posted_at < timedelta(seconds=provider.listing_lag_seconds):
            return record
        try:
            return _create(record, provider, ledger, home)
        except FtbridgeError as problem:
            if _leaves_it_open(problem):
                problem.hint = f"{problem.hint} `ftbridge recover` looks whether job {record.job.id} was made.".strip()
            else:
                _fail(ledger, record.job.id, problem)
            raise


def _create(record: Record, provider: Provider, ledger: Ledger, home: Path) -> Record:
    model = parse_target(record.job.target).model
    provider.check_limits(record.job.spec, model)
    training = _upload(record.prepared.training, provider, ledger, home)
    validation = _upload(record.prepared.validation, provider, ledger, home) if record.prepared.validation else None
    files = Files(training=training, validation=validation)
    check_vendor_price(provider, record.job.spec, model, files)
    posted = ledger.change(record, posted_at=now())
    if posted is None:
        return ledger.job(record.job.id)
    made = provider.create(record.job.spec, model, files, tag=record.job.id)
    return _adopt(posted, made, ledger)


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
    remote_file = provider.upload(file, key=key)
    ledger.remember_upload(provider.account, key, remote_file)
    return remote_file


def _adopt(record: Record, remote: RemoteJob, ledger: Ledger) -> Record:
    # a job that is over already is ended by the next look at it, which brings its result, error and events along
    status = Status.QUEUED if remote.status.final else remote.status
    adopted = ledger.change(
        record,
        [Event(at=now(), kind="status", status=status)],
        status=status,
        raw_status=remote.raw_status,
        remote_id=remote.remote_id,
    )
    return adopted or ledger.job(record.job.id)


def _leaves_it_open(problem: FtbridgeError) -> bool:
    """Whether the vendor may have made the job all the same."""
    if isinstance(problem, ProviderError):
        return problem.status is None or (problem.status >= 500 and not isinstance(problem, ProviderRetired))
    return isinstance(problem, NetworkError | LedgerError)  # what cannot be written now may be true all the same


def _fail(ledger: Ledger, job_id: str, problem: FtbridgeError) -> None:
    event = Event(at=now(), kind="status", status=Status.FAILED, message=problem.message)
    # the key is free again: nothing was made, so the user's next try is not a repetition
    fields = {"status": Status.FAILED, "error": problem.message, "finished_at": now(), "user_key": None}
    ledger.change(ledger.job(job_id), [event], **fields)
