"""What all that the bridge does begins with: its home, its ledger, and the jobs in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

from ftbridge.bridge.queue import with_queue
from ftbridge.bridge.settling import settle_all
from ftbridge.bridge.watch import look_once
from ftbridge.bridge.workplace import Workplace
from ftbridge.config import Config, load_config
from ftbridge.errors import JobFailed
from ftbridge.home import find_home
from ftbridge.ledger import Record
from ftbridge.model import Job, Status
from ftbridge.provider import Provider


class Base:
    """One home folder with its ledger, its providers, and its jobs as they are known."""

    def __init__(
        self,
        home: Path | None = None,
        *,
        config: Config | None = None,
        warn: Callable[[str], None] | None = None,
    ) -> None:
        self.home = home or find_home()
        self.config = config or load_config()
        self.said: list[str] = []
        self._warn = warn or self.said.append
        self._place = Workplace(self.home, self.config, self._warn)
        self._ledger = self._place.ledger

    def close(self) -> None:
        """Let go of connections and of the ledger's file; `with Bridge() as bridge:` does it at the block's end."""
        self._place.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_problem: object) -> None:
        self.close()

    def refresh(self, *jobs: Job | str) -> list[Job]:
        """Ask the providers once, and return the jobs as they are then; without arguments, all of them."""
        records = [self._record(job) for job in jobs] if jobs else self._ledger.jobs()
        problems = look_once(self._place, [record.job.id for record in records])
        if names := {record.provider for record in records if record.may_be_there}:
            problems += settle_all(self._place, names)
        if problems and jobs:
            raise problems[0]
        for problem in problems:
            self._warn(problem.message)
        return self.jobs([record.job for record in records] if jobs else None)

    def jobs(self, only: Iterable[Job | str] | None = None) -> list[Job]:
        """All jobs as the ledger has them, oldest first; or those of `only`, in its order."""
        if only is None:
            return with_queue(self._ledger.jobs(), self._place.places, self._place.named)
        records = [self._record(job) for job in only]
        if all(record.job.status is not Status.SUBMITTING for record in records):
            return [record.job for record in records]
        with_places = {job.id: job for job in self.jobs()}  # a place in the queue is one among all
        return [with_places[record.job.id] for record in records]

    def unproved(self) -> list[Job]:
        """The jobs that were refused or cancelled, and that their vendor may have all the same."""
        return [record.job for record in self._ledger.unseen()]

    def job(self, job: Job | str) -> Job:
        """One job as the ledger has it, by its id, an unambiguous beginning of it, or "last"."""
        [found] = self.jobs([job])
        return found

    def _succeeded(self, job: Job | str) -> Record:
        record = self._record(self.refresh(job)[0])
        if record.job.status is not Status.SUCCEEDED:
            why = f": {record.job.error}" if record.job.error else ""
            raise JobFailed(
                f"job {record.job.id} is {record.job.status}{why}",
                hint=f"`ftbridge watch {record.job.id}` follows it." if not record.job.status.final else "",
            )
        return record

    def _record(self, job: Job | str) -> Record:
        return self._ledger.job(job if isinstance(job, str) else job.id)

    def _provider_of(self, record: Record) -> Provider:
        return self._place.named(record.provider)
