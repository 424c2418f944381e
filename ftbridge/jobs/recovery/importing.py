"""Importing a vendor's list of jobs into the ledger: each job once, however often and by how many processes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path

from ftbridge.context import Context
from ftbridge.errors import FtbridgeError
from ftbridge.foreign.names import plain_name
from ftbridge.jobs.polling import latest_of, new_events
from ftbridge.ledger import Ledger, Record
from ftbridge.model import FINAL, Cost, Event, Frozen, Job, Method, Spec, Status, now
from ftbridge.provider import Listed, Provider, RemoteJob
from ftbridge.provider.hosted import HostedProvider
from ftbridge.wording import clause, counted

_TAG = re.compile(r"ftb_[a-z0-9]+")


class Imported(Frozen):
    """What importing the list of one vendor came to.

    `adopted` are the jobs that are new in the ledger, or would be, `known` counts those that were already in it,
    `foreign` those that were not wanted, and `not_understood` those with a method that ftbridge does not know.
    `broken_off` is why the list was not read to its end, and `skipped` why the vendor was not asked at all.
    """

    provider: str
    adopted: tuple[Job, ...] = ()
    known: int = 0
    foreign: int = 0
    not_understood: int = 0
    broken_off: str | None = None
    skipped: str | None = None


def import_listed(context: Context, name: str, wanted: Callable[[Listed], bool], *, dry_run: bool = False) -> Imported:
    """Import the wanted jobs of the vendor's list into the ledger, with the events of those that are over.

    Nothing is changed at the vendor. If the list breaks off, the jobs before that are imported; an empty one raises.
    """
    provider = context.provider_named(name)
    listed, problem = _listed(provider)
    chosen = [job for job in listed if wanted(job)]
    jobs, known = _as_jobs(context, name, provider, [job for job in chosen if job.method])
    if not dry_run:
        added = add_jobs(context, name, jobs, f"imported from {name}'s list of jobs")
        known, jobs = known + len(jobs) - len(added), added
    return Imported(
        provider=name,
        adopted=tuple(jobs),
        known=known,
        foreign=len(listed) - len(chosen),
        not_understood=sum(job.method is None for job in chosen),
        broken_off=problem.message if problem else None,
    )


def add_jobs(context: Context, name: str, jobs: Sequence[Job], why: str) -> list[Job]:
    """Add jobs that the vendor has to the ledger, with the events of those that are over; those that were new.

    Hooks are not run for jobs that were already over.
    """
    event = Event(at=now(), kind="message", message=why)
    with _silent(context.home) as silent:
        added = [job.id for job in jobs if (silent if job.status.final else context.ledger).adopt(job, event)]
        _read_history(context, name, silent)
    return [context.ledger.job(job_id).job for job_id in added]


def tag_of(listed: Listed) -> str | None:
    """The ID that ftbridge gave the job when it created it; `None` for a tag of any other form."""
    return listed.tag if listed.tag and _TAG.fullmatch(listed.tag) else None


def name_of(listed: Listed) -> str | None:
    """The job's name, made safe for the folder of its result."""
    return plain_name(listed.name)[:64] if listed.name else None


def ledger_id(name: str, remote_id: str) -> str:
    """The ledger's ID of a vendor's job without a tag: always the same, so that it is not imported twice."""
    return f"ftb_{hashlib.sha256(f'{name}:{remote_id}'.encode()).hexdigest()[:12]}"


def as_job(job_id: str, name: str, provider: Provider, listed: Listed) -> Job:
    """A job of the vendor's list as a job of the ledger, under that ID."""
    target, remote = f"{name}:{listed.model or 'unknown'}", listed.remote
    spec = Spec(
        target=target,
        data=_file(provider, listed.training_file),
        validation=_file(provider, listed.validation_file) if listed.validation_file else None,
        method=listed.method or Method.SFT,
        grader=listed.grader,
        response_format=listed.response_format,
        hyperparameters=listed.hyperparameters,
        name=name_of(listed),
    )
    return Job(
        id=job_id,
        name=spec.name,
        target=target,
        status=remote.status,
        raw_status=remote.raw_status,
        remote_id=remote.remote_id,
        created_at=listed.created_at.astimezone(UTC),
        finished_at=(listed.finished_at or now()).astimezone(UTC) if remote.status.final else None,
        spec=spec,
        result=remote.result,
        cost=Cost(actual_usd=remote.cost_usd, billed_tokens=remote.trained_tokens),
        error=remote.error,
    )


def _file(provider: Provider, name: str) -> Path:
    """A hosted vendor's name for a file, made safe so that it never names a file on this machine."""
    return Path(plain_name(name) if isinstance(provider, HostedProvider) else name)


def _listed(provider: Provider) -> tuple[list[Listed], FtbridgeError | None]:
    """The jobs of the list, oldest first, and the error that kept it from being read to its end."""
    found: list[Listed] = []
    try:
        found.extend(provider.jobs())
    except FtbridgeError as problem:
        if not found:
            raise
        return found[::-1], problem
    return found[::-1], None


def _as_jobs(context: Context, name: str, provider: Provider, listed: Sequence[Listed]) -> tuple[list[Job], int]:
    """The jobs that are not in the ledger, and how many are. The oldest job with a tag has the tag as its ID."""
    holders = {record.job.id: record.job.remote_id for record in context.ledger.jobs() if record.provider == name}
    here = {remote_id for remote_id in holders.values() if remote_id}
    jobs, known = [], 0
    for job in listed:
        remote_id = job.remote.remote_id
        job_id = tag_of(job) or ledger_id(name, remote_id)
        holder = holders.get(job_id)
        if remote_id in here or (job_id in holders and holder is None):  # `recover` goes on with it
            known += 1
            continue
        if holder:
            context.warn(
                f"{name} has a second job of the request {job.tag}: {remote_id} is {job.remote.status}, beside"
                f" {holder}; check whether it is billed"
            )
            job_id = ledger_id(name, remote_id)
        holders[job_id] = remote_id
        jobs.append(as_job(job_id, name, provider, job))
    return jobs, known


def _read_history(context: Context, name: str, silent: Ledger) -> None:
    """Read the events of the jobs that were over when they were imported, also of earlier imports that broke off."""
    todo = [record for record in silent.jobs(*FINAL) if record.provider == name and _has_no_history(record)]
    for done, record in enumerate(todo):
        try:
            _read_events(record, context.provider_named(name), silent)
        except FtbridgeError as problem:
            left = counted(len(todo) - done, "job")
            context.warn(
                f"the events of {left} could not be read: {clause(problem.message)}; run the same command again"
            )
            return


def _has_no_history(record: Record) -> bool:
    """Whether the job was imported, not sent from here, and its events have not been read."""
    return not record.prepared.training and not record.cursor and record.job.remote_id is not None


def _read_events(record: Record, provider: Provider, silent: Ledger) -> None:
    job, remote_id = record.job, record.job.remote_id or ""
    remote = RemoteJob(remote_id=remote_id, status=job.status, raw_status=job.raw_status or "", error=job.error)
    if job.status is Status.FAILED and not job.error:  # lists do not say why
        remote = next(iter(provider.poll([remote_id])), remote)
    found = list(provider.events(remote_id, ""))
    events, _ = new_events(Status.QUEUED, remote, found)
    cursor = found[-1].cursor if found else ""
    silent.change(record, events, latest=latest_of(job.latest, found), last_cursor=cursor, error=remote.error)


@contextmanager
def _silent(home: Path) -> Iterator[Ledger]:
    """The same ledger, without running hooks."""
    ledger = Ledger(home)
    try:
        yield ledger
    finally:
        ledger.close()
