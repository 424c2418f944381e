"""What the bridge does with jobs: submit, follow, steer."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ftbridge.bridge.adopting import adopt_by_hand
from ftbridge.bridge.base import Base
from ftbridge.bridge.intending import Wish, intend
from ftbridge.bridge.intent import object_of, place_of
from ftbridge.bridge.queue import advance, send, withdraw
from ftbridge.bridge.rebuilding import adopt_listed
from ftbridge.bridge.reporting import Reporting
from ftbridge.bridge.settling import cancel_unclear, settle_all
from ftbridge.bridge.steering import steer
from ftbridge.bridge.taking_in import Found
from ftbridge.bridge.watch import Watch, look_once
from ftbridge.catalogue import counted
from ftbridge.errors import FtbridgeError, RateLimited, UsageError
from ftbridge.ledger import Record, has_place, last_numbers, unfinished
from ftbridge.model import FINAL, Event, Job, Status, make_spec, now
from ftbridge.provider import Provider

_PATIENCE = 60.0  # seconds for another process that sends a job which this one has asked for
_ENDED = {Status.SUCCEEDED: "succeeded", Status.FAILED: "failed", Status.CANCELLED: "was cancelled"}


class AboutJobs(Base):
    """From a dataset to a job that is over."""

    def submit(
        self,
        data: str | Path,
        to: str,
        *,
        validation: str | Path | None = None,
        method: str = "sft",
        grader: Mapping[str, Any] | str | Path | None = None,
        response_format: Mapping[str, Any] | str | Path | None = None,
        name: str | None = None,
        key: str | None = None,
        again: bool = False,
        group: str | None = None,
        max_cost: float | None = None,
        allow_ignored: bool = False,
        format: str | None = None,  # noqa: A002 - as above
        **hyperparameters: Any,
    ) -> Job:
        """Check, convert, upload and start one job; returns as soon as the provider has it.

        Asking again for the same data, target and hyperparameters gives the same job while it is open, while nobody
        knows whether the vendor has it, and for a day after it has succeeded; with `again` it gives another one, and
        with `key` the same one for as long as the ledger has it. `grader` and `response_format`, of reinforcement,
        are objects in the vendor's own words, or files that hold them; `group` is what the job belongs to.
        Raises `UsageError` or `DataError` before anything leaves this machine, `OverBudget` among them where
        the job may cost more than `max_cost`, in US dollars, or the month's budget.
        """
        if again and key:
            raise UsageError("a key stands for one job, and --again asks for another one", hint="Give one of the two.")
        target = self._place.target(to)
        provider = self._place.provider(target)
        spec = make_spec(
            target=str(target),
            data=place_of(data),
            validation=place_of(validation) if validation else None,
            method=method,
            grader=object_of(grader),
            response_format=object_of(response_format),
            name=name,
            max_cost_usd=max_cost,
            hyperparameters=hyperparameters,
        )
        warnings, spec = provider.check_spec(spec, allow_ignored=allow_ignored)
        record = None
        with provider.expecting(spec, target.model):
            try:
                wish = Wish(spec, target, provider, warnings, key=key, again=again, group=group, format=format)
                while True:
                    record, is_new = intend(self._place, wish)
                    job = self._send(record)
                    refused_meanwhile = record.job.status is Status.SUBMITTING and job.status is Status.FAILED
                    if is_new or not refused_meanwhile:
                        return job
            except KeyboardInterrupt:
                self._warn(_what_stays(record))
                raise

    def _send(self, record: Record) -> Job:
        """Send the job to its provider, those before it in the queue first; it may have to wait here."""
        job_id = record.job.id
        if record.job.status is not Status.SUBMITTING:
            return self.job(job_id)
        try:
            self._look_for_places(record.provider)
            advance(self._place, record.provider, before=job_id)
        except FtbridgeError as problem:
            self._warn(f"jobs that wait for {record.provider} could not be sent: {problem.message}")
        try:
            with self._telling(job_id):
                sent = send(self._place, record, patience=_PATIENCE)
        except RateLimited as problem:
            self._warn(f"{problem.message}; job {job_id} waits here: `ftbridge watch` sends it, unless it is there")
            return self.job(job_id)
        if sent.job.status is Status.SUBMITTING and sent.posted_at is None:
            most = self._place.places(record.provider)
            full = not has_place(self._ledger, sent, most)
            why = f"{record.provider} runs {counted(most, 'job')} at once" if full and most else "it is not sent yet"
            self._warn(f"{why}; {job_id} waits here, and `ftbridge watch` sends it")
        job = self.job(job_id)
        if job.unclear_until:
            self._warn(
                f"it is not known yet whether {record.provider} has {job_id}, which was asked for before; it is"
                " looked for again, and asked for only if it is not there, by `ftbridge watch`, or from"
                f" {job.unclear_until.astimezone():%H:%M:%S} by `ftbridge recover` and this same command"
            )
        return job

    @contextmanager
    def _telling(self, job_id: str) -> Iterator[None]:
        """Warn of what the block has to tell of the job."""
        [last] = last_numbers(self._ledger, [job_id]).values()
        try:
            yield
        finally:
            self._tell_messages(job_id, last)

    def _tell_messages(self, job_id: str, after: int) -> None:
        for _number, event in self._ledger.events(job_id, after):
            if event.kind == "message" and event.message:
                self._warn(event.message)

    def recover(self) -> list[Job]:
        """Finish what a crash or an unclear answer left open, and send what waits; the jobs that moved on.

        Raises what a provider answers if that keeps all of them from being asked; else it is warned of.
        """
        left_open = [*self._ledger.jobs(Status.SUBMITTING), *self._ledger.unseen()]
        names = list(dict.fromkeys(record.provider for record in left_open))
        last = last_numbers(self._ledger, [record.job.id for record in left_open])
        problems = [problem for name in names if (problem := self._recover_at(name))]
        for job_id, number in last.items():
            self._tell_messages(job_id, number)
        if problems and len(problems) == len(names):
            raise problems[0]
        for problem in problems:
            self._warn(problem.message)
        before = {record.job.id: record.job.status for record in left_open}
        return [job for job in self.jobs(before) if job.status is not before[job.id]]

    def _recover_at(self, name: str) -> FtbridgeError | None:
        """Finish what is open at the provider of that name; what stood in the way."""
        try:
            self._look_for_places(name)
            advance(self._place, name)
        except FtbridgeError as problem:
            return problem
        return next(iter(settle_all(self._place, [name])), None)

    def adopt(self, job: Job | str, remote_id: str) -> Job:
        """Take the vendor's job `remote_id` for the one that nobody knows whether the vendor has.

        Raises `UsageError` where the job is known already, or the other is another job's, and `JobNotFound` where
        the vendor does not have it.
        """
        record = self._record(job)
        return adopt_by_hand(record, remote_id, self._provider_of(record), self._ledger).job

    def _look_for_places(self, name: str) -> None:
        """See which jobs are over, where only so many may be under way at the provider of that name."""
        if self._place.places(name) is None:
            return
        for problem in look_once(self._place, [g.id for g in unfinished(self._ledger) if g.provider == name]):
            self._warn(f"{problem.message}; its jobs are taken to be still under way")

    def recover_from_vendors(self, to: Sequence[str] = ()) -> Iterator[Found]:
        """Take into the ledger every job that its vendor lists with ftbridge's tag, vendor by vendor.

        `to` names providers; without it all that are installed and can be asked are.
        """
        return adopt_listed(self._place, to)

    def events(self, job: Job | str) -> list[Event]:
        """Everything that is known to have happened to the job, oldest first."""
        return [event for _number, event in self._ledger.events(self._record(job).job.id)]

    def watch(
        self,
        *jobs: Job | str,
        history: bool = True,
        fetch_to: str | Path | None = None,
        listen: int | None = None,
        report: Sequence[str] = (),
        deployments: bool = False,
    ) -> Iterator[tuple[Job, Event | None]]:
        """Yield each job with each of its events, from the beginning, until all the jobs are over.

        Without `history` what the ledger holds already is left out. A job that changed, and one job at
        every round, is yielded with `None`, so that a caller can draw, or stop. Jobs that wait for a
        place are sent when there is one, in order; hooks are told. With `fetch_to`, what a job gives is
        fetched into `fetch_to`/ID as soon as it has succeeded; with `listen`, a loopback port, vendors'
        webhooks at /PROVIDER are taken as a wake-up; with `report`, all events are written to those trackers.
        With `deployments`, deployed models that cost by the hour are warned of once a day, and those deployed with
        `max_hours` are taken down when these are over, until which their jobs are followed.
        """
        folder = Path(fetch_to) if fetch_to else None
        watch = Watch(self._place, fetch_to=folder, listen=listen, report=report, deployments=deployments)
        known = [self._record(job).job.id for job in jobs]
        yield from watch.follow(dict.fromkeys(known, 0) if history else last_numbers(self._ledger, known))

    def report(self, job: Job | str, to: str) -> int:
        """Write all that is known of the job to a tracker; how many of its events were new there.

        `to` is NAME or NAME:PLACE: `tensorboard:FOLDER`, `mlflow:URI` or `wandb:PROJECT`. Raises `UsageError` for
        another one, and while another process reports there; `MissingExtra` where its package is absent.
        """
        [current] = self.refresh(job)
        with Reporting(self._ledger, to) as reporting:
            if not reporting.claim():
                raise UsageError(
                    f"{reporting.name} is being written by another process",
                    hint="It writes what it watches; wait until it ends.",
                )
            return reporting.bring([current.id])

    def wait(self, job: Job | str, *, timeout: float | None = None) -> Job:
        """Return when the job is over. Raises `TimeoutError` after `timeout` seconds; the job goes on."""
        deadline = time.monotonic() + timeout if timeout is not None else None
        for current, event in self.watch(job):
            if event is None and deadline is not None and time.monotonic() > deadline:
                raise TimeoutError(f"job {current.id} is still {current.status} after {timeout} s")
        return self.job(job)

    def cancel(self, job: Job | str) -> Job:
        """Stop the job for good, or take it out of the queue. A job that is over stays as it is."""
        record = self._record(job)
        if withdraw(self._ledger, record):
            return self.job(record.job.id)
        if record.job.status is Status.SUBMITTING:
            with self._telling(record.job.id):
                record = cancel_unclear(record, self._provider_of(record), self._ledger)
            if record.job.status is Status.CANCELLED:
                self._warn(f"if {record.provider} has it all the same, it is cancelled there as soon as it is seen")
                return self.job(record.job.id)
        return self._steer(record.job.id, lambda provider: provider.cancel, FINAL)

    def pause(self, job: Job | str) -> Job:
        """Stop the job so that `resume` can go on with it."""
        return self._steer(job, lambda provider: provider.pause, (Status.PAUSED, *FINAL))

    def resume(self, job: Job | str) -> Job:
        """Let a paused job, or a failed one where the provider can, go on from its last checkpoint."""
        record = self._record(job)
        if not record.job.remote_id:
            raise UsageError(
                f"job {record.job.id} never reached the provider, so there is nothing to go on with",
                hint="Submit it again.",
            )
        if record.job.status not in (Status.PAUSED, Status.FAILED):
            raise UsageError(
                f"job {record.job.id} is {record.job.status}; only a paused or failed job can be resumed",
                hint=f"`ftbridge show {record.job.id}` tells more.",
            )
        provider = self._provider_of(record)
        steer(provider, record.job.remote_id, provider.resume, (Status.VALIDATING, Status.QUEUED, Status.RUNNING))
        event = Event(at=now(), kind="status", status=Status.QUEUED, message="resumed")
        self._ledger.change(record, [event], status=Status.QUEUED, error=None, finished_at=None)
        return self.refresh(record.job.id)[0]

    def _steer(
        self, job: Job | str, verb: Callable[[Provider], Callable[[str], None]], wanted: Collection[Status]
    ) -> Job:
        [current] = self.refresh(job)
        if current.status.final:
            self._warn(f"job {current.id} is over already: it {_ENDED[current.status]}")
            return current
        if not current.remote_id:
            raise UsageError(
                f"job {current.id} is still being submitted", hint="`ftbridge recover` finishes that; then try again."
            )
        provider = self._provider_of(self._record(current))
        steer(provider, current.remote_id, verb(provider), wanted)
        for _look in range(10):  # many take a moment to obey
            [after] = self.refresh(current)
            if after.status is not current.status:
                return after
            time.sleep(min(0.5, provider.poll_seconds))
        return after


def _what_stays(record: Record | None) -> str:
    """What is left of a submission that somebody has interrupted."""
    if record is None:
        return "nothing was sent, and no job was created, by this command"
    job = record.job.id
    return f"the job {job} stays: `ftbridge watch {job}` goes on with it, `ftbridge cancel {job}` ends it"
