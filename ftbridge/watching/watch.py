"""Watching any number of jobs at all their providers at once.

Each provider has a task of its own: look at its jobs, send what waits for a context, fetch what
has succeeded. All that is told is read from the ledger, so that any number of watchers tell the
same, whoever of them saw it first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ftbridge.context import Context
from ftbridge.deployments.listing import jobs_with_max_hours
from ftbridge.errors import FtbridgeError, MissingExtra, NetworkError, RateLimited, ServerTrouble
from ftbridge.jobs.exactly_once.unresolved import resolve_all
from ftbridge.jobs.fetching import fetch_whole
from ftbridge.jobs.polling import EventBudget, poll_jobs
from ftbridge.jobs.queue import advance
from ftbridge.ledger import JobSummary, unfinished
from ftbridge.ledger import summaries as summaries
from ftbridge.model import Event, Job, Status
from ftbridge.provider import Provider
from ftbridge.watching.deployments import DeploymentWatch
from ftbridge.watching.hooks import deliver
from ftbridge.watching.scheduler import PeriodicTask, Scheduler
from ftbridge.watching.tracking import Reporting, keep_up_to_date


class Watch:
    """With `fetch_to`, the result of each job that succeeds is fetched into a folder of the job's id there.

    With `listen`, vendors' webhooks are taken on that loopback port, at /PROVIDER. What happens is written to
    the trackers that `report` names. With `deployments`, deployed models are looked after, and a job whose model
    is deployed for so many hours is followed until they are over.
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
        self._lost: set[str] = set()
        self._told: dict[str, int] = {}
        self._hooks = context.config.hooks
        self._reports = [Reporting(context.ledger, to) for to in report]
        self._deployments = DeploymentWatch(context) if deployments else None
        self._awaited: set[str] = set()
        self.scheduler = Scheduler([self._telling()] if self._hooks else [], context.warn)

    def follow(self, told: dict[str, int]) -> Iterator[tuple[Job, Event | None]]:
        """Yield each job with each of its new events until all are over.

        `told` holds, by job id, the number of the event that was told last. A job that changed, and
        one job at every round, is yielded with `None`, so that a caller can draw, or stop. Raises what
        stands in the way, if it stands in the way of all the jobs.
        """
        self._told = told
        if self._deployments:
            self._deployments.begin()
            self.scheduler.tasks.append(self._deployments.task)
        with self._doorbell(), keep_up_to_date(self._reports, list(told), self.scheduler, self._context.warn):
            yield from self._until_all_are_over(told)
        if self._hooks:
            self.scheduler.wait_for("hooks", longest=60.0)  # whoever is telling them now has seen less
            deliver(self._ledger, self._hooks, self._context.warn)

    def _until_all_are_over(self, told: dict[str, int]) -> Iterator[tuple[Job, Event | None]]:
        versions = dict.fromkeys(told, -1)
        self.scheduler.tasks += [
            self._chore(name) for name in sorted({g.provider for g in summaries(self._ledger, told)})
        ]
        while told:
            self._awaited = jobs_with_max_hours(self._context) if self._deployments else set()
            for summary in list(summaries(self._ledger, told)):
                if versions[summary.id] != summary.version or self._is_done(summary):
                    versions[summary.id] = summary.version
                    yield from self._tell(summary)
            if not told:
                return
            yield self._ledger.job(next(iter(told))).job, None
            if self.scheduler.stuck:
                raise self.scheduler.stuck
            self.scheduler.run_due()

    @contextmanager
    def _doorbell(self) -> Iterator[None]:
        if self._listen is None:
            yield
            return
        try:
            from ftbridge.loopback import LoopbackServer
            from ftbridge.watching.webhook_listener import webhook_app
        except ImportError as problem:
            raise MissingExtra(
                f"taking webhooks needs a package that is not installed: {problem.name}",
                hint="Install it with: pip install 'ftbridge[mock]'",
            ) from problem
        with LoopbackServer(webhook_app(self._context, self.scheduler.wake), self._listen):
            yield

    def _tell(self, summary: JobSummary) -> Iterator[tuple[Job, Event | None]]:
        job = self._ledger.job(summary.id).job
        for number, event in self._ledger.events(job.id, after=self._told[job.id]):
            self._told[job.id] = number
            yield job, event
        if self._is_done(summary):
            del self._told[job.id]
        else:
            yield job, None

    def _is_done(self, summary: JobSummary) -> bool:
        return Status(summary.status).final and summary.id not in self._awaited and not self._is_to_be_fetched(summary)

    def _is_to_be_fetched(self, summary: JobSummary) -> bool:
        if not self._fetch_to or summary.status != Status.SUCCEEDED or summary.id in self._lost:
            return False
        return not (self._fetch_to / summary.id).exists()

    def _telling(self) -> PeriodicTask:
        return PeriodicTask(
            "hooks", lambda: deliver(self._ledger, self._hooks, self._context.warn), 1.0, 30.0, vital=False
        )

    def _chore(self, name: str) -> PeriodicTask:
        budget = EventBudget()
        task = PeriodicTask(name, lambda: self._round(task, budget), pace=1.0, slowest=60.0, patience=budget.slower)
        return task

    def _round(self, task: PeriodicTask, budget: EventBudget) -> int:
        provider = self._context.provider_named(task.name)
        task.pace, task.slowest = provider.poll_seconds, provider.slowest_poll_seconds
        jobs = [summary for summary in unfinished(self._ledger) if summary.provider == task.name]
        queued = [summary for summary in jobs if summary.status == Status.SUBMITTING and summary.id in self._told]
        # who waits for a place has to know when the others are over
        found = poll_jobs(jobs if queued else _only(jobs, self._told), provider, self._ledger, budget)
        budget.faster()
        if queued:
            found += advance(self._context, task.name, watched=self._told)
        if problems := resolve_all(self._context, [task.name]):
            raise problems[0]
        if self._fetch_to:
            found += self._fetch(provider, task.name, self._fetch_to)
        return found

    def _fetch(self, provider: Provider, name: str, folder: Path) -> int:
        """Fetch what has succeeded; what the provider does not have any more is said, and given up."""
        fetched = 0
        for summary in summaries(self._ledger, list(self._told)):
            if summary.provider != name or not self._is_to_be_fetched(summary):
                continue
            try:
                fetch_whole(self._ledger.job(summary.id).job, provider.fetch, (folder / summary.id).absolute())
                fetched += 1
            except (NetworkError, RateLimited, ServerTrouble):
                raise
            except FtbridgeError as problem:
                self._lost.add(summary.id)
                self._context.warn(f"the result of {summary.id} could not be fetched: {problem.message}")
        return fetched


def _only(jobs: Iterable[JobSummary], chosen: Collection[str]) -> list[JobSummary]:
    return [summary for summary in jobs if summary.id in chosen]
