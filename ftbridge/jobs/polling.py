"""Polling providers: every change of a job is written into the ledger once.

Polling a provider costs a few pages of its listing, and the events of the jobs that changed and, in turn, of some
that are validating or running.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from heapq import merge
from operator import attrgetter
from typing import Any

from ftbridge.context import Context
from ftbridge.errors import BadAnswer, FtbridgeError, InvalidRequest, NotFound, ServerTrouble, StateError
from ftbridge.jobs.overfitting import detect_overfitting
from ftbridge.jobs.request.kept_data import remove_unneeded
from ftbridge.ledger import JobSummary, Ledger, Record, summaries, unfinished
from ftbridge.model import Cost, Event, Latest, Status, now
from ftbridge.provider import Provider, RemoteJob
from ftbridge.provider.unreadable import UNREADABLE, guarded, reason
from ftbridge.wording import clause

ACTIVE = (Status.VALIDATING, Status.QUEUED, Status.RUNNING, Status.PAUSED, Status.UNKNOWN)

_HAS_EVENTS = (Status.VALIDATING, Status.RUNNING)  # a job adds events without changing its status

_BEFORE_RUNNING = (Status.VALIDATING, Status.QUEUED)


_OF_ONE_JOB = (BadAnswer, InvalidRequest, NotFound, ServerTrouble)
"""Errors that may be about one job only."""


class EventBudget:
    """Which jobs' events are read next, where there are too many to read all of them at every poll.

    `limit` is how many jobs' events are read per poll: halved when the vendor is rate limiting, and raised by one
    after each poll without an error, up to ten.
    """

    def __init__(self) -> None:
        self.limit = 10
        self._read: dict[str, int] = {}
        self._count = 0

    def choose(self, job_ids: Sequence[str]) -> set[str]:
        """Those of `job_ids` that have waited longest."""
        self._read = {job_id: self._read.get(job_id, 0) for job_id in job_ids}
        self._count += 1
        chosen = sorted(job_ids, key=self._read.__getitem__)[: self.limit]
        self._read |= dict.fromkeys(chosen, self._count)
        return set(chosen)

    def faster(self) -> None:
        """The last poll went well."""
        self.limit = min(10, self.limit + 1)

    def slower(self) -> None:
        """The vendor is rate limiting."""
        self.limit = max(1, self.limit // 2)


def poll_jobs(jobs: Iterable[JobSummary], provider: Provider, ledger: Ledger, budget: EventBudget) -> int:
    """Poll the jobs that can still change, and commit every change with its events; how many there were.

    An answer about one job that is an error does not keep the others from being read: it is raised after them.
    """
    waiting = {job.remote_id: job for job in jobs if job.status in ACTIVE and job.remote_id}
    if not waiting:
        return 0
    with_events = [job.id for job in waiting.values() if job.status in _HAS_EVENTS]
    chosen = budget.choose(with_events)
    changes, ended, problem = 0, False, None
    for remote in guarded(provider.name, "a list of jobs", lambda: provider.poll(list(waiting))):
        job = waiting.pop(remote.remote_id, None)
        if job is None:  # listed twice, or not asked for
            continue
        moved = remote.status != job.status or remote.raw_status != job.raw_status
        stalls = job.status == Status.RUNNING and _seems_to_stall(job, provider)
        if moved or stalls or job.id in chosen:
            try:
                changed = _update(ledger.job(job.id), remote, provider, ledger)
                changes, ended = changes + changed, ended or (changed and remote.status.final)
            except _OF_ONE_JOB as trouble:
                if isinstance(trouble, ServerTrouble) and isinstance(problem, ServerTrouble):
                    raise  # the vendor has more than one job that it cannot tell of: it is down
                problem = trouble
    changes += sum(_note_missing(job, provider, ledger) for job in waiting.values())
    if ended:
        remove_unneeded(provider.home, ledger, provider)
    if problem:
        raise problem
    return changes


def _note_missing(job: JobSummary, provider: Provider, ledger: Ledger) -> bool:
    """End, or warn of, a job that its provider does not know."""
    if provider.keeps_jobs_at_home and not ledger.is_elsewhere(ledger.job(job.id).job):
        return _end_as_gone(ledger.job(job.id), provider, ledger)
    if _seems_to_stall(job, provider):
        return _warn_of_silence(ledger.job(job.id), f"{provider.name} no longer lists the job", ledger)
    return False


def _end_as_gone(record: Record, provider: Provider, ledger: Ledger) -> bool:
    """Fail a job of which this machine, which alone could have it, has nothing left."""
    gone = f"its folder below {provider.home}, or the status in it, is gone: it cannot go on; submit it again"
    remote_id = record.job.remote_id or ""
    remote = RemoteJob(remote_id=remote_id, status=Status.FAILED, raw_status="gone", error=gone)
    return record.job.status in ACTIVE and _commit(record, remote, [], ledger)


def _update(record: Record, remote: RemoteJob, provider: Provider, ledger: Ledger) -> bool:
    """Read the job's events and commit what is new; whether anything was new and not written by another process."""
    if record.job.status not in ACTIVE:
        return False
    try:
        found = list(provider.events(remote.remote_id, record.cursor))
    except UNREADABLE as problem:  # it would be the same next time, and the job's status is known all the same
        found = _unreadable_events(record, provider, problem, ledger)
    if not found and remote.status is record.job.status and remote.raw_status == record.job.raw_status:
        return record.job.status is Status.RUNNING and _warn_of_a_stall(record, provider, ledger)
    return _commit(record, remote, found, ledger)


def _unreadable_events(record: Record, provider: Provider, problem: Exception, ledger: Ledger) -> list[Event]:
    """Once in a job, a message that its events cannot be read."""
    if any(event.code == "unreadable" for _number, event in ledger.events(record.job.id)):
        return []
    what = f"{provider.name} sent events that cannot be read: {reason(problem)}; they are left out"
    return [Event(at=now(), kind="message", code="unreadable", cursor=record.cursor, message=what)]


def _commit(record: Record, remote: RemoteJob, found: Sequence[Event], ledger: Ledger) -> bool:
    events, status = new_events(record.job.status, remote, _with_overfitting(record, found, ledger))
    changed = ledger.change(
        record,
        events,
        status=status,
        raw_status=remote.raw_status,
        latest=latest_of(record.job.latest, found),
        last_cursor=next((event.cursor for event in reversed(found) if event.cursor), record.cursor),
        error=remote.error,
        result=remote.result,
        **reported_cost(record.job.cost, remote),
        finished_at=_ended_at(found) if status.final else None,
        progress_at=now(),
    )
    return changed is not None


def _ended_at(found: Sequence[Event]) -> datetime:
    """The time of the last event, which a vendor's clock may put into the future; the present where there is none."""
    return min(found[-1].at, now()) if found else now()


def reported_cost(known: Cost, remote: RemoteJob) -> dict[str, Any]:
    """The cost fields that the vendor reports: what is billed once the job is over, until then its estimate.

    The vendor's estimate replaces the catalogue's, and raises the upper bound where that was lower.
    """
    if remote.status.final:
        reported = {"actual_usd": remote.cost_usd, "billed_tokens": remote.trained_tokens}
    else:
        reported = {"estimate_usd": remote.estimate_usd, "estimate_tokens": remote.estimate_tokens}
        if remote.estimate_usd is not None:
            reported["estimate_usd_high"] = max(remote.estimate_usd, known.estimate_usd_high or 0.0)
    return {name: figure for name, figure in reported.items() if figure is not None}


def _with_overfitting(record: Record, found: Sequence[Event], ledger: Ledger) -> Iterable[Event]:
    """The events found, with the warning of overfitting that follows from them."""
    if all(event.valid_loss is None for event in found):
        return found
    known = (event for _number, event in ledger.events(record.job.id))
    return merge(found, detect_overfitting(known, found), key=attrgetter("at"))


def new_events(before: Status, remote: RemoteJob, found: Iterable[Event]) -> tuple[list[Event], Status]:
    """The events worth keeping and the status after them.

    Events are read after the poll and may be ahead of it. Only the poll ends a job, because only the poll gives the
    result and the error.
    """
    events, status, newest = [], before, None
    for event in found:
        newest = event.at
        if event.kind == "metric" and status in _BEFORE_RUNNING:
            # a job that finishes between two polls was running all the same: only a running job has metrics
            events.append(Event(at=event.at, kind="status", status=Status.RUNNING))
            status = Status.RUNNING
        if event.kind == "status":
            if event.status is None or event.status.final or event.status is status:
                continue
            status = event.status
        events.append(event)
    if remote.status.final or not any(event.kind == "status" for event in events):
        if remote.status is not status:
            at = newest if remote.status.final and newest else now()  # it was over by its last event
            events.append(Event(at=at, kind="status", status=remote.status, message=remote.error))
        status = remote.status
    return events, status


def latest_of(before: Latest, found: Iterable[Event]) -> Latest:
    """The newest metrics after those events."""
    newest: dict[str, Any] = {}
    for event in found:
        if event.kind == "metric":
            newest |= {name: value for name in Latest.model_fields if (value := getattr(event, name)) is not None}
    return before.model_copy(update=newest)


def _seems_to_stall(job: JobSummary, provider: Provider) -> bool:
    if job.progress_at is None:
        return False
    return now() - datetime.fromisoformat(job.progress_at) > timedelta(seconds=provider.stall_seconds)


def _warn_of_a_stall(record: Record, provider: Provider, ledger: Ledger) -> bool:
    """Warn that a running job shows nothing new, once in each `stall_seconds`."""
    quiet = now() - (record.progress_at or record.job.created_at)
    if quiet.total_seconds() <= provider.stall_seconds:
        return False
    minutes = quiet.total_seconds() / 60
    return _warn_of_silence(record, f"nothing new for {minutes:,.0f} minutes: the job may have stalled", ledger)


def _warn_of_silence(record: Record, what: str, ledger: Ledger) -> bool:
    event = Event(at=now(), kind="message", message=f"{what}; `ftbridge cancel {record.job.id}` ends it")
    return ledger.change(record, [event], progress_at=now()) is not None


def poll_once(context: Context, job_ids: Iterable[str]) -> list[FtbridgeError]:
    """Poll the jobs once at each of their providers; at most one error for each provider."""
    problems = []
    found = list(summaries(context.ledger, job_ids))
    for name in sorted({summary.provider for summary in found}):
        try:
            poll_jobs(
                [summary for summary in found if summary.provider == name],
                context.provider_named(name),
                context.ledger,
                EventBudget(),
            )
        except StateError:
            raise
        except FtbridgeError as problem:
            problems.append(problem)
    return problems


def poll_for_free_slots(context: Context, name: str) -> None:
    """Poll the provider of that name, if it limits how many jobs run at once: jobs that are over free their slots."""
    if context.concurrency_limit(name) is None:
        return
    for problem in poll_once(context, [g.id for g in unfinished(context.ledger) if g.provider == name]):
        context.warn(f"{clause(problem.message)}; its jobs are assumed to be still running")
