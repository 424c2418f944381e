"""Watching any number of jobs at all their providers at once.

Each provider has a chore of its own: look at its jobs, send what waits for a place, fetch what
has succeeded. All that is told is read from the ledger, so that any number of watchers tell the
same, whoever of them saw it first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ftbridge.bridge.deployment_watch import DeploymentWatch, deployed_for_hours
from ftbridge.bridge.fetching import fetch_whole
from ftbridge.bridge.hooks import deliver
from ftbridge.bridge.monitor import Turns, look
from ftbridge.bridge.queue import advance
from ftbridge.bridge.reporting import Reporting, kept_up
from ftbridge.bridge.scheduler import Chore, Scheduler
from ftbridge.bridge.settling import settle_all
from ftbridge.bridge.workplace import Workplace
from ftbridge.errors import FtbridgeError, MissingExtra, NetworkError, RateLimited, ServerTrouble, StateError
from ftbridge.ledger import Glance, glances, unfinished
from ftbridge.model import Event, Job, Status
from ftbridge.provider import Provider


class Watch:
    """With `fetch_to`, the result of each job that succeeds is fetched into a folder of the job's id there.

    With `listen`, vendors' webhooks are taken on that loopback port, at /PROVIDER. What happens is written to
    the trackers that `report` names. With `deployments`, deployed models are looked after, and a job whose model
    is deployed for so many hours is followed until they are over.
    """

    def __init__(
        self,
        place: Workplace,
        *,
        fetch_to: Path | None = None,
        listen: int | None = None,
        report: Sequence[str] = (),
        deployments: bool = False,
    ) -> None:
        self._place = place
        self._ledger = place.ledger
        self._fetch_to = fetch_to
        self._listen = listen
        self._lost: set[str] = set()
        self._told: dict[str, int] = {}
        self._hooks = place.config.hooks
        self._reports = [Reporting(place.ledger, to) for to in report]
        self._deployments = DeploymentWatch(place) if deployments else None
        self._awaited: set[str] = set()
        self.scheduler = Scheduler([self._telling()] if self._hooks else [], place.say)

    def follow(self, told: dict[str, int]) -> Iterator[tuple[Job, Event | None]]:
        """Yield each job with each of its new events until all are over.

        `told` holds, by job id, the number of the event that was told last. A job that changed, and
        one job at every round, is yielded with `None`, so that a caller can draw, or stop. Raises what
        stands in the way, if it stands in the way of all the jobs.
        """
        self._told = told
        if self._deployments:
            self._deployments.begin()
            self.scheduler.chores.append(self._deployments.chore)
        with self._doorbell(), kept_up(self._reports, list(told), self.scheduler, self._place.say):
            yield from self._until_all_are_over(told)
        if self._hooks:
            self.scheduler.wait_for("hooks", longest=60.0)  # whoever is telling them now has seen less
            deliver(self._ledger, self._hooks, self._place.say)

    def _until_all_are_over(self, told: dict[str, int]) -> Iterator[tuple[Job, Event | None]]:
        versions = dict.fromkeys(told, -1)
        self.scheduler.chores += [
            self._chore(name) for name in sorted({g.provider for g in glances(self._ledger, told)})
        ]
        while told:
            self._awaited = deployed_for_hours(self._place) if self._deployments else set()
            for glance in list(glances(self._ledger, told)):
                if versions[glance.id] != glance.version or self._is_done(glance):
                    versions[glance.id] = glance.version
                    yield from self._tell(glance)
            if not told:
                return
            yield self._ledger.job(next(iter(told))).job, None
            if self.scheduler.stuck:
                raise self.scheduler.stuck
            self.scheduler.tick()

    @contextmanager
    def _doorbell(self) -> Iterator[None]:
        if self._listen is None:
            yield
            return
        try:
            from ftbridge.bridge.doorbell import doorbell
            from ftbridge.loopback import LoopbackServer
        except ImportError as problem:
            raise MissingExtra(
                f"taking webhooks needs a package that is not installed: {problem.name}",
                hint="Install it with: pip install 'ftbridge[mock]'",
            ) from problem
        with LoopbackServer(doorbell(self._place, self.scheduler.wake), self._listen):
            yield

    def _tell(self, glance: Glance) -> Iterator[tuple[Job, Event | None]]:
        job = self._ledger.job(glance.id).job
        for number, event in self._ledger.events(job.id, after=self._told[job.id]):
            self._told[job.id] = number
            yield job, event
        if self._is_done(glance):
            del self._told[job.id]
        else:
            yield job, None

    def _is_done(self, glance: Glance) -> bool:
        return Status(glance.status).final and glance.id not in self._awaited and not self._is_to_be_fetched(glance)

    def _is_to_be_fetched(self, glance: Glance) -> bool:
        if not self._fetch_to or glance.status != Status.SUCCEEDED or glance.id in self._lost:
            return False
        return not (self._fetch_to / glance.id).exists()

    def _telling(self) -> Chore:
        return Chore("hooks", lambda: deliver(self._ledger, self._hooks, self._place.say), 1.0, 30.0, vital=False)

    def _chore(self, name: str) -> Chore:
        turns = Turns()
        chore = Chore(name, lambda: self._round(chore, turns), pace=1.0, slowest=60.0, patience=turns.slower)
        return chore

    def _round(self, chore: Chore, turns: Turns) -> int:
        provider = self._place.named(chore.name)
        chore.pace, chore.slowest = provider.poll_seconds, provider.slowest_poll_seconds
        jobs = [glance for glance in unfinished(self._ledger) if glance.provider == chore.name]
        queued = [glance for glance in jobs if glance.status == Status.SUBMITTING and glance.id in self._told]
        # who waits for a place has to know when the others are over
        found = look(jobs if queued else _only(jobs, self._told), provider, self._ledger, turns)
        turns.faster()
        if queued:
            found += advance(self._place, chore.name)
        if problems := settle_all(self._place, [chore.name]):
            raise problems[0]
        if self._fetch_to:
            found += self._fetch(provider, chore.name, self._fetch_to)
        return found

    def _fetch(self, provider: Provider, name: str, folder: Path) -> int:
        """Fetch what has succeeded; what the provider does not have any more is said, and given up."""
        fetched = 0
        for glance in glances(self._ledger, list(self._told)):
            if glance.provider != name or not self._is_to_be_fetched(glance):
                continue
            try:
                fetch_whole(self._ledger.job(glance.id).job, provider.fetch, (folder / glance.id).absolute())
                fetched += 1
            except (NetworkError, RateLimited, ServerTrouble):
                raise
            except FtbridgeError as problem:
                self._lost.add(glance.id)
                self._place.say(f"the result of {glance.id} could not be fetched: {problem.message}")
        return fetched


def _only(jobs: Iterable[Glance], chosen: Collection[str]) -> list[Glance]:
    return [glance for glance in jobs if glance.id in chosen]


def look_once(place: Workplace, job_ids: Iterable[str]) -> list[FtbridgeError]:
    """One look at the jobs at each of their providers; what went wrong, a provider at a time."""
    problems = []
    found = list(glances(place.ledger, job_ids))
    for name in sorted({glance.provider for glance in found}):
        try:
            look([glance for glance in found if glance.provider == name], place.named(name), place.ledger, Turns())
        except StateError:
            raise
        except FtbridgeError as problem:
            problems.append(problem)
    return problems
