"""`prune`: removes what no job needs any more from the home, and says what it was."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from ftbridge.context import Context
from ftbridge.errors import FtbridgeError
from ftbridge.files import remove
from ftbridge.jobs.deleted import deletion_of_result
from ftbridge.jobs.request.kept_data import forget_and_delete, unneeded_files, unneeded_leftovers
from ftbridge.ledger import OpenJob, Record, open_jobs, uploads_of
from ftbridge.model import Status
from ftbridge.provider import Artifact, Provider
from ftbridge.removal.answers import remove_answers
from ftbridge.removal.evaluations import remove_old_evaluations
from ftbridge.removal.in_home import remove_imports, remove_temporary
from ftbridge.removal.in_use import starts_from
from ftbridge.removal.receipt import Receipt, Removal, Remover

RESUMABLE = timedelta(days=7)
"""How long a failed job that can be resumed keeps its data, unless an age is given."""
_PRUNED = ("data", "cache", "checkpoint", "log", "temporary")
_PATIENCE = 10.0  # seconds to wait for processes that are converting data


def prune(context: Context, *, older_than: timedelta | None = None, dry_run: bool = False) -> Receipt:
    """Remove what nobody needs from the home: the data, caches, checkpoints and logs of jobs that are over.

    `older_than` is how long they have been over at least. Without it a failed job that can be resumed keeps its data
    for a week. The answers of models that are as old go as well, and evaluations, of which each job keeps the newest
    unless `older_than` is given. Results stay, and so does everything of a job that is open or unclear. At mocked
    vendors, whose state is in the home, the uploaded files are deleted, and all of it once no job there has a result.
    It may run beside any other command, and be repeated.
    """
    pruning = _Pruning(context, older_than, Remover(dry_run=dry_run))
    pruning.shared_data()
    for record in pruning.ended:
        pruning.job(record)
    remove_answers(context, pruning.remover, until=datetime.fromtimestamp(pruning.before, UTC))
    remove_old_evaluations(context, pruning.remover, before=pruning.before, keep_newest=older_than is None)
    remove_temporary(context.home, pruning.before, pruning.remover)
    return pruning.remover.receipt()


class _Pruning:
    """One run: the jobs as they are at its beginning, and the moment `before` which a job has to be over."""

    def __init__(self, context: Context, older_than: timedelta | None, remover: Remover) -> None:
        self.context, self.remover = context, remover
        self.before = time.time() - (older_than or timedelta()).total_seconds()
        self.resumable_since = self.before if older_than is not None else self.before - RESUMABLE.total_seconds()
        self.records = context.ledger.jobs()
        self.open = open_jobs(context.ledger)
        self.open_ids = {job.id for job in self.open}
        self.ended = [record for record in self.records if self._is_over(record)]
        self.users = {use: record for record in self.records for use in _uses(record)}

    def shared_data(self) -> None:
        """What several jobs may share: converted, uploaded, tokenized and imported files."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            with unneeded_files(self.context.home.absolute(), self.context.ledger) as files:
                if files is not None:
                    for file in files:
                        if self._may_go(user := self.users.get(("", file.stem))):
                            self.remover.remove(_item(user, "data", str(file)), partial(remove, file))
                    jobs = open_jobs(self.context.ledger)
                    for name, provider in self._here():
                        self._leftovers(name, provider, jobs)
                        state = self.context.home.absolute() / "mock" / name.removeprefix("mock+")
                        if state.exists() and self._is_empty(name, provider, jobs):
                            self.remover.remove(Removal(kind="mock", name=str(state)), partial(remove, state))
                    remove_imports(self.context, self.before, self.remover, self.records, {job.id for job in jobs})
                    return
            if time.monotonic() > deadline:
                why = "a dataset is being converted; run it again later"
                prepared = str(self.context.home / "prepared")
                self.remover.add(Removal(kind="data", name=prepared, outcome="in use", why=why))
                return
            time.sleep(0.1)

    def job(self, record: Record) -> None:
        """What one job that is over has on this machine, beside its result."""
        for name, provider in self._here():
            if record.provider != name or not provider.keeps_jobs_at_home or not record.job.remote_id:
                continue
            item = Removal(job=record.job.id, kind="job", name=record.job.id)
            listed = self.remover.listed(item, partial(provider.artifacts, record.job.remote_id))
            found = [one for one in listed if one.kind in _PRUNED]
            if found and self._can_be_resumed(record, provider):
                why = "it failed less than a week ago and can be resumed; --older-than 0d removes it all the same"
                item = Removal(job=record.job.id, kind="data", name=found[0].name, outcome="kept", why=why)
                self.remover.add(item)
                continue
            for one in found:
                item = Removal(job=record.job.id, kind=one.kind, name=one.name)
                if one.kind == "checkpoint" and (other := starts_from(self.open, name, one.name)):
                    why = f"job {other.id}, which is not over, starts from it"
                    self.remover.add(item.model_copy(update={"outcome": "in use", "why": why}))
                else:
                    self.remover.remove(item, partial(provider.delete, one))

    def _leftovers(self, name: str, provider: Provider, jobs: list[OpenJob]) -> None:
        is_mock = name.startswith("mock+")
        if is_mock:
            needed = {name for job in jobs for name in (*job.keys, str(job.spec.data), str(job.spec.validation))}
            uploaded = uploads_of(self.context.ledger, provider.account)
            known = [Artifact(kind="file", name=one.remote_file, key=one.content_key) for one in uploaded]
            found = [one for one in [*known, *self._imported(name)] if not {one.key, one.name} & needed]
        else:
            found = unneeded_leftovers(provider, name, jobs)
        for one in found:
            if self._may_go(user := self.users.get((name, one.key or one.name))):
                item = _item(user, one.kind, one.name).model_copy(update={"at": name if is_mock else None})
                self.remover.remove(item, partial(forget_and_delete, one, provider, self.context.ledger))

    def _is_empty(self, name: str, provider: Provider, jobs: list[OpenJob]) -> bool:
        """Whether a mock has nothing left that is worth keeping: no job but those whose results were deleted."""
        over = [record.job.remote_id for record in self.ended if record.provider == name and self._is_without(record)]
        count = sum(record.provider == name for record in self.records)
        if len(over) < count or any(job.provider == name for job in jobs):
            return False
        try:
            return {listed.remote.remote_id for listed in provider.jobs()} <= set(over)
        except FtbridgeError:
            return False

    def _is_without(self, record: Record) -> bool:
        return record.job.result is None or deletion_of_result(self.context.ledger, record) is not None

    def _imported(self, name: str) -> list[Artifact]:
        """The files of the jobs at that mock which were not sent from here."""
        specs = [record.job.spec for record in self.ended if record.provider == name and not record.prepared.training]
        files = [file for spec in specs for file in (spec.data, spec.validation) if file and not file.is_absolute()]
        return [Artifact(kind="file", name=str(file)) for file in dict.fromkeys(files)]

    def _here(self) -> Iterator[tuple[str, Provider]]:
        """The providers of the jobs that keep something in the home: artifacts, uploaded files, or a mock's state."""
        for name in sorted({record.provider for record in self.records}):
            try:
                provider = self.context.provider_named(name)
            except FtbridgeError:  # it is not installed any more
                continue
            if name.startswith("mock+") or provider.keeps_jobs_at_home or provider.leftovers():
                yield name, provider

    def _is_over(self, record: Record) -> bool:
        ended = record.job.finished_at or record.job.created_at
        return record.job.id not in self.open_ids and ended.timestamp() <= self.before

    def _can_be_resumed(self, record: Record, provider: Provider) -> bool:
        ended = record.job.finished_at or record.job.created_at
        failed = record.job.status is Status.FAILED and "resume" in provider.capabilities.verbs
        return failed and ended.timestamp() > self.resumable_since

    def _may_go(self, user: Record | None) -> bool:
        """Whether the last job that used a file, if there was one, has been over for long enough."""
        return user is None or self._is_over(user)


def _item(user: Record | None, kind: str, name: str) -> Removal:
    return Removal(job=user.job.id if user else None, kind=kind, name=name)


def _uses(record: Record) -> Iterator[tuple[str, str]]:
    """The job's files, each by the provider that has it, "" for the home, and its hash or the vendor's name of it."""
    for key in (record.prepared.training, record.prepared.validation):
        if key:
            yield "", key
            yield record.provider, key
    if not record.prepared.training:
        for file in (record.job.spec.data, record.job.spec.validation):
            yield record.provider, str(file)
