"""What the bridge does with jobs: submit, follow, steer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ftbridge.bridge.base import Base
from ftbridge.bridge.guard import check_cost, check_open, cost_of
from ftbridge.bridge.intent import make_intent, object_of, place_of, request_hash
from ftbridge.bridge.prepare import prepare, sent_files, sentence
from ftbridge.bridge.queue import advance, withdraw
from ftbridge.bridge.rebuilding import Found, adopt_listed
from ftbridge.bridge.reporting import Reporting
from ftbridge.bridge.submitting import submit
from ftbridge.bridge.watch import Watch, look_once
from ftbridge.dataset import Converter, advise
from ftbridge.errors import FtbridgeError, RateLimited, SpecError, UsageError
from ftbridge.ledger import Prepared, Record, last_numbers, unfinished
from ftbridge.model import Event, Job, Spec, Status, make_spec, now
from ftbridge.provider import Provider
from ftbridge.target import Target

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
        max_cost: float | None = None,
        allow_ignored: bool = False,
        format: str | None = None,  # noqa: A002 - as above
        **hyperparameters: Any,
    ) -> Job:
        """Check, convert, upload and start one job; returns as soon as the provider has it.

        With `key`, asking again for the same gives the same job instead of another one. `grader` and
        `response_format`, of reinforcement, are objects in the vendor's own words, or files that hold them.
        Raises `UsageError` or `DataError` before anything leaves this machine, `OverBudget` among them where
        the job may cost more than `max_cost`, in US dollars, or the month's budget.
        """
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
                record = self._intend(spec, target, provider, warnings, key=key, max_cost=max_cost, format=format)
                return self._send(record)
            except KeyboardInterrupt:
                self._warn(_what_stays(record))
                raise

    def _intend(
        self,
        spec: Spec,
        target: Target,
        provider: Provider,
        warnings: Sequence[str],
        *,
        key: str | None,
        max_cost: float | None,
        format: str | None,  # noqa: A002 - as above
    ) -> Record:
        """Check and convert, and write down what is to be asked for."""
        check_open(self._place, target, spec.method)
        prepared, more = self._prepare(spec, provider.rules(spec, target.model), format)
        for said in [*warnings, *more, *self._advice(spec, format)]:
            self._warn(said)
        cost = cost_of(self._place, target, spec, *sent_files(prepared, self.home))
        check_cost(self._place, target, cost, max_cost)
        if not (key and self._ledger.by_key(key)):  # the one that is there already has been judged
            provider.check_limits(spec, target.model)
        record = self._ledger.add(make_intent(spec, prepared, key, cost))
        if record.request_hash != request_hash(spec, prepared):
            raise SpecError(
                f"the key {key!r} stands for another request: job {record.job.id}",
                hint="Use another key, or ask for the same data, target and hyperparameters.",
            )
        return record

    def _send(self, record: Record) -> Job:
        """Send the job to its provider, those before it in the queue first; it may have to wait here."""
        job_id = record.job.id
        try:
            self._look_for_places(record.provider)
            advance(self._place, record.provider, before=job_id)
        except FtbridgeError as problem:
            self._warn(f"jobs that wait for {record.provider} could not be sent: {problem.message}")
        try:
            provider, most = self._provider_of(record), self._place.places(record.provider)
            sent = submit(record, provider, self._ledger, self.home, most=most, patience=_PATIENCE)
        except RateLimited as problem:
            self._warn(f"{problem.message}; job {job_id} waits here, and `ftbridge watch` sends it again")
            return self.job(job_id)
        if sent.job.status is Status.SUBMITTING and sent.posted_at is None:
            places = f"{most} jobs" if most != 1 else "one job"
            why = f"{record.provider} runs {places} at once" if most else "another process has begun to send it"
            self._warn(f"{why}; {job_id} waits here, and `ftbridge watch` sends it")
        job = self.job(job_id)
        if job.unclear_until:
            self._warn(
                f"it is not known yet whether {record.provider} has {job_id}, which was asked for before; it is"
                " looked for again, and asked for only if it is not there, by `ftbridge watch`, or `ftbridge recover`"
                f" from {job.unclear_until.astimezone():%H:%M:%S}"
            )
        return job

    def recover(self) -> list[Job]:
        """Finish what a crash or an unclear answer left `submitting`, and send what waits; the jobs that moved on."""
        waiting = self._ledger.jobs(Status.SUBMITTING)
        for name in {record.provider for record in waiting}:
            self._look_for_places(name)
            advance(self._place, name)
        after = self.jobs(record.job for record in waiting)
        return [job for job in after if job.status is not Status.SUBMITTING]

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
    ) -> Iterator[tuple[Job, Event | None]]:
        """Yield each job with each of its events, from the beginning, until all the jobs are over.

        Without `history` what the ledger holds already is left out. A job that changed, and one job at
        every round, is yielded with `None`, so that a caller can draw, or stop. Jobs that wait for a
        place are sent when there is one, in order; hooks are told. With `fetch_to`, what a job gives is
        fetched into `fetch_to`/ID as soon as it has succeeded; with `listen`, a loopback port, vendors'
        webhooks at /PROVIDER are taken as a wake-up; with `report`, all events are written to those trackers.
        """
        watch = Watch(self._place, fetch_to=Path(fetch_to) if fetch_to else None, listen=listen, report=report)
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
        if withdraw(self._ledger, self._record(job)):
            return self.job(job)
        return self._steer(job, lambda provider, remote_id: provider.cancel(remote_id))

    def pause(self, job: Job | str) -> Job:
        """Stop the job so that `resume` can go on with it."""
        return self._steer(job, lambda provider, remote_id: provider.pause(remote_id))

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
        self._provider_of(record).resume(record.job.remote_id)
        event = Event(at=now(), kind="status", status=Status.QUEUED, message="resumed")
        self._ledger.change(record, [event], status=Status.QUEUED, error=None, finished_at=None)
        return self.refresh(record.job.id)[0]

    def _steer(self, job: Job | str, ask: Callable[[Provider, str], None]) -> Job:
        [current] = self.refresh(job)
        if current.status.final:
            self._warn(f"job {current.id} is over already: it {_ENDED[current.status]}")
            return current
        if not current.remote_id:
            raise UsageError(
                f"job {current.id} is still being submitted", hint="`ftbridge recover` finishes that; then try again."
            )
        provider = self._provider_of(self._record(current))
        ask(provider, current.remote_id)
        for _look in range(10):  # many take a moment to obey
            [after] = self.refresh(current)
            if after.status is not current.status:
                return after
            time.sleep(min(0.5, provider.poll_seconds))
        return after

    def _advice(self, spec: Spec, format: str | None) -> list[str]:  # noqa: A002 - as above
        """What to think about before paying; standard input has been read by now, and is not looked at again."""
        if str(spec.data) == "-":
            return []
        return [sentence(finding) for finding in advise(spec.data, validation=spec.validation, format=format)]

    def _prepare(self, spec: Spec, converter: Converter, format: str | None) -> tuple[Prepared, list[str]]:  # noqa: A002 - as above
        training, said = prepare(spec.data, converter, spec, self.home, format)
        if spec.validation is None:
            return Prepared(training=training), said
        validation, more = prepare(spec.validation, converter, spec, self.home, format)
        return Prepared(training=training, validation=validation), [*said, *more]


def _what_stays(record: Record | None) -> str:
    """What is left of a submission that somebody has interrupted."""
    if record is None:
        return "nothing was sent, and no job was made"
    job = record.job.id
    return f"the job {job} stays: `ftbridge watch {job}` goes on with it, `ftbridge cancel {job}` ends it"
