"""Watching any number of jobs at all their providers at once.

Each provider has a task of its own: poll its jobs, send those that wait for a free slot, fetch results. All events
are read from the ledger, so that any number of watchers report the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ftbridge.context import Context
from ftbridge.deployments.listing import jobs_with_max_hours
from ftbridge.errors import FtbridgeError, MissingExtra, NetworkError, RateLimited, ServerTrouble
from ftbridge.jobs.exactly_once.unconfirmed import resolve_all
from ftbridge.jobs.fetching import fetch_whole
from ftbridge.jobs.polling import EventBudget, poll_jobs
from ftbridge.jobs.queue import advance
from ftbridge.ledger import JobSummary, summaries, unfinished
from ftbridge.model import Event, Job, Status
from ftbridge.provider import Provider
from ftbridge.watching.deployments import DeploymentWatch
from ftbridge.watching.hooks import HookDelivery
from ftbridge.watching.scheduler import PeriodicTask, Scheduler
from ftbridge.watching.tracking import Reporting, keep_up_to_date

_LAST_ROUNDS_SECONDS = 2.0
"""How long who stops watching waits for rounds that are under way; a vendor that does not answer takes longer."""


class Watch:
    """With `fetch_to`, the result of each job that succeeds is fetched into a folder of the job's id there.

    With `listen`, vendors' webhooks are accepted on that loopback port, at /PROVIDER. Events are written to the
    trackers that `report` names. With `deployments`, deployed models are monitored, and a job whose model is deployed
    with `max_hours` is followed until these are over.
    """

    def __init__(
        self,
        context: Context,
        *,
        fetch_to: Path | None = None,
        listen: int | None = None,
        report: Sequence[str] = (),
        deployments: bool = False,
    ) -> None:
        self._context = context
        self._ledger = context.ledger
        self._fetch_to = fetch_to
        self._listen = listen
        self._not_fetchable: set[str] = set()
        self._last_numbers: dict[str, int] = {}
        self._hooks = HookDelivery(context.ledger, context.hooks, context.warn)
        self._reports = [Reporting(context.ledger, to) for to in report]
        self._deployments = DeploymentWatch(context) if deployments else None
        self._deployed: set[str] = set()
        self.scheduler = Scheduler([PeriodicTask("hooks", self._hooks.deliver, 1.0, 30.0, vital=False)], context.warn)

    def follow(self, last_numbers: dict[str, int]) -> Iterator[tuple[Job, Event | None]]:
        """Yield each job with each of its new events until all are over.

        `last_numbers` holds, by job ID, the number of the last event that is known already. A job that changed, and
        one job at every round, is yielded with `None`, so that a caller can draw, or stop. Raises the error of a
        provider if no provider can go on.
        """
        self._last_numbers = last_numbers
        self._warn_of_other_homes()
        if self._deployments:
            self._deployments.begin()
            self.scheduler.tasks.append(self._deployments.task)
        with (
            self._webhooks(last_numbers),
            keep_up_to_date(self._reports, list(last_numbers), self.scheduler, self._context.warn),
        ):
            try:
                yield from self._until_all_are_over(last_numbers)
            finally:  # a round under way would open a connection again that the caller closes next
                self.scheduler.wait_for(longest=_LAST_ROUNDS_SECONDS)
        self.scheduler.wait_for("hooks", longest=60.0)  # a delivery under way may have missed the last events
        self._hooks.deliver()
        if late := self._hooks.left():
            what = "1 delivery to a hook is" if late == 1 else f"{late:,} deliveries to hooks are"
            self._context.warn(f"{what} still due; the next `ftbridge watch` delivers what is due then")

    def _warn_of_other_homes(self) -> None:
        """Name the jobs of which another home alone has the news."""
        for job_id in self._last_numbers:
            job = self._ledger.job(job_id).job
            if not job.remote_id or job.status.final or not self._ledger.is_elsewhere(job):
                continue
            provider = self._context.provider_named(job.target.partition(":")[0])
            if provider.keeps_jobs_at_home and not list(provider.poll([job.remote_id])):
                self._context.warn(
                    f"job {job.id} is at {job.home or 'another home'}: what `ftbridge watch` reads there is shown here;"
                    f" if it is gone, `ftbridge cancel {job.id} --give-up` ends the job"
                )

    def _until_all_are_over(self, left: dict[str, int]) -> Iterator[tuple[Job, Event | None]]:
        versions = dict.fromkeys(left, -1)
        self.scheduler.tasks += [
            self._provider_task(name) for name in sorted({g.provider for g in summaries(self._ledger, left)})
        ]
        while left:
            self._deployed = jobs_with_max_hours(self._context) if self._deployments else set()
            for summary in list(summaries(self._ledger, left)):
                if versions[summary.id] != summary.version or self._is_done(summary):
                    versions[summary.id] = summary.version
                    yield from self._new_events(summary)
            if not left:
                return
            yield self._ledger.job(next(iter(left))).job, None
            if self.scheduler.stuck:
                raise self.scheduler.stuck
            self.scheduler.run_due()

    @contextmanager
    def _webhooks(self, job_ids: Collection[str]) -> Iterator[None]:
        if self._listen is None:
            yield
            return
        try:
            from ftbridge.loopback import LoopbackServer
            from ftbridge.watching.webhook_listener import LIMITS, webhook_app
        except ImportError as problem:
            raise MissingExtra(
                f"accepting webhooks needs a package that is not installed: {problem.name}",
                hint="Install it with: pip install 'ftbridge[mock]'",
            ) from problem
        names = {summary.provider for summary in summaries(self._ledger, job_ids)}
        app = webhook_app(self._context, self.scheduler.wake, names)
        with LoopbackServer(app, self._listen, limits=LIMITS):
            yield

    def _new_events(self, summary: JobSummary) -> Iterator[tuple[Job, Event | None]]:
        job = self._ledger.job(summary.id).job
        for number, event in self._ledger.events(job.id, after=self._last_numbers[job.id]):
            self._last_numbers[job.id] = number
            yield job, event
        if self._is_done(summary):
            del self._last_numbers[job.id]
        yield job, None

    def _is_done(self, summary: JobSummary) -> bool:
        return Status(summary.status).final and summary.id not in self._deployed and not self._is_to_be_fetched(summary)

    def _is_to_be_fetched(self, summary: JobSummary) -> bool:
        if not self._fetch_to or summary.status != Status.SUCCEEDED or summary.id in self._not_fetchable:
            return False
        return not (self._fetch_to / summary.id).exists()

    def _provider_task(self, name: str) -> PeriodicTask:
        budget = EventBudget()
        task = PeriodicTask(name, lambda: self._round(task, budget), pace=1.0, slowest=60.0, slow_down=budget.slower)
        return task

    def _round(self, task: PeriodicTask, budget: EventBudget) -> int:
        provider = self._context.provider_named(task.name)
        task.pace, task.slowest = provider.poll_seconds, provider.slowest_poll_seconds
        jobs = [summary for summary in unfinished(self._ledger) if summary.provider == task.name]
        queued = [
            summary for summary in jobs if summary.status == Status.SUBMITTING and summary.id in self._last_numbers
        ]
        # a queued job is sent when another one is over, so all jobs are polled
        changes = poll_jobs(jobs if queued else _only(jobs, self._last_numbers), provider, self._ledger, budget)
        budget.faster()
        if queued:
            changes += advance(self._context, task.name, watched=self._last_numbers)
        if problems := resolve_all(self._context, [task.name]):
            raise problems[0]
        if self._fetch_to:
            changes += self._fetch(provider, task.name, self._fetch_to)
        return changes

    def _fetch(self, provider: Provider, name: str, folder: Path) -> int:
        """Fetch results of jobs that have succeeded; one that cannot be fetched is warned of, and not tried again."""
        fetched = 0
        for summary in summaries(self._ledger, list(self._last_numbers)):
            if summary.provider != name or not self._is_to_be_fetched(summary):
                continue
            try:
                fetch_whole(self._ledger.job(summary.id).job, provider.fetch, (folder / summary.id).absolute())
                fetched += 1
            except (NetworkError, RateLimited, ServerTrouble):
                raise
            except FtbridgeError as problem:
                self._not_fetchable.add(summary.id)
                self._context.warn(f"the result of {summary.id} could not be fetched: {problem.message}")
        return fetched


def _only(jobs: Iterable[JobSummary], chosen: Collection[str]) -> list[JobSummary]:
    return [summary for summary in jobs if summary.id in chosen]
