"""Reading and writing the ledger: every change is one transaction, committed before the next step."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from ftbridge.errors import JobNotFound
from ftbridge.home import address
from ftbridge.ledger.database import find_database
from ftbridge.ledger.owed import owe
from ftbridge.ledger.record import Intent, Prepared, Record
from ftbridge.ledger.rows import as_record, as_text, at_provider, candidates, lock_jobs
from ftbridge.ledger.schema import events, jobs, uploads
from ftbridge.model import Event, Job, Latest, Status, now
from ftbridge.stored import read_event

_logger = logging.getLogger(__name__)
# as text, because SQLAlchemy has a different upsert for each database
_REMEMBER = text("""
    INSERT INTO uploads (account, content_key, remote_file, created_at)
    VALUES (:account, :content_key, :remote_file, :created_at)
    ON CONFLICT (account, content_key) DO UPDATE SET remote_file = excluded.remote_file
""")


class Ledger:
    """The jobs of one home folder; safe for any number of processes and threads at once.

    A job that is added through this object owes its changes to the hooks of the sources in `hooks`, and to those named
    there as NAME@SOURCE. `written` are the IDs of the intents that were added through it.
    """

    def __init__(self, home: Path, hooks: Sequence[str] = ()) -> None:
        self._hooks = json.dumps(list(hooks))
        self.written: set[str] = set()
        self._database = find_database(home)
        self._home = address(home) if self._database.shared else None
        with self._as_ledger_errors():
            self._database.open()

    def close(self) -> None:
        """Close the connections; they open again when they are needed."""
        self._database.engine.dispose()

    def is_elsewhere(self, job: Job) -> bool:
        """Whether the job may have been submitted from another home, with which this one shares the ledger."""
        return self._database.shared and job.home != self._home

    @contextmanager
    def lock(self, job_id: str) -> Iterator[bool]:
        """Whether this process, and no other, may now submit the job; held until the block ends.

        A process that is stopped keeps the lock; it is free when the process dies.
        """
        with ExitStack() as held:
            with self._as_ledger_errors():
                locked = held.enter_context(self._database.lock(job_id))
            yield locked

    def add(
        self,
        intent: Intent,
        *,
        is_same: Callable[[Record], bool] | None = None,
        check: Callable[[list[Record]], None] | None = None,
    ) -> Record:
        """Add the intent as a job that is `submitting`, or return the job that is the same request.

        That is the job with its key; for an intent without a key, and for a new key where the job was never listed by
        its vendor, the newest with its `request_hash`; in each case only if `is_same` agrees, or without `is_same` if
        the keys are equal. `check` gets all jobs, and raises if the job must not be added. All of it is one
        transaction, so of two concurrent requests the second sees the first.
        """
        row = {
            "id": intent.id,
            "user_key": intent.key,
            "owner": intent.owner,
            "home": self._home,
            "group_name": intent.group,
            "hooks": self._hooks,
            "name": as_text(intent.spec.name),
            "attempts": 0,
            "target": intent.target,
            "status": Status.SUBMITTING,
            "request_hash": intent.request_hash,
            "spec": intent.spec.model_dump_json(),
            "prepared": intent.prepared.model_dump_json(),
            "latest": Latest().model_dump_json(),
            "estimate_usd": intent.cost.estimate_usd,
            "estimate_usd_high": intent.cost.estimate_usd_high,
            "estimate_tokens": intent.cost.estimate_tokens,
            "created_at": intent.created_at.isoformat(),
            "last_cursor": "",
            "version": 0,
            "progress_at": intent.created_at.isoformat(),
        }
        same = is_same or (lambda record: intent.key is not None and record.key == intent.key)
        with self.writing() as connection:
            lock_jobs(connection)
            known = next(filter(same, candidates(connection, intent.key, intent.request_hash)), None)
            if known is None:
                if check:
                    check([as_record(row) for row in connection.execute(select(jobs))])
                connection.execute(insert(jobs).values(row))
            elif intent.key and known.key is None:
                connection.execute(update(jobs).where(jobs.c.id == known.job.id).values(user_key=intent.key))
        if known is None:
            _logger.info("%s: submitting to %s", intent.id, intent.target)
        self.written.add(intent.id)
        return self.job(known.job.id if known else intent.id)

    def adopt(self, job: Job, event: Event) -> bool:
        """Add a job that the vendor already has, with its first event; whether it was new."""
        row = {
            "id": job.id,
            "home": job.home,
            "hooks": self._hooks,
            "name": as_text(job.name),
            "target": job.target,
            "status": job.status,
            "raw_status": job.raw_status,
            "remote_id": job.remote_id,
            "error": as_text(job.error),
            "result": as_text(job.result),
            "actual_usd": job.cost.actual_usd,
            "billed_tokens": job.cost.billed_tokens,
            "finished_at": as_text(job.finished_at),
            "request_hash": "",  # it cannot be requested again
            "spec": job.spec.model_dump_json(),
            "prepared": Prepared(training="").model_dump_json(),
            "latest": job.latest.model_dump_json(),
            "created_at": job.created_at.isoformat(),
            "posted_at": job.created_at.isoformat(),
            "attempts": 0,
            "last_cursor": "",
            "version": 0,
            "progress_at": now().isoformat(),
        }
        try:
            with self.writing() as connection:
                connection.execute(insert(jobs).values(row))
                self._append(connection, job.id, [event])
        except IntegrityError:
            return False
        _log(job.id, [event])
        return True

    def job(self, job_id: str) -> Record:
        """The job with exactly that ID; `find_record` takes what people write. Raises `JobNotFound`."""
        with self.reading() as connection:
            row = connection.execute(select(jobs).where(jobs.c.id == job_id)).first()
        if row is None:
            raise JobNotFound(f"there is no job {job_id!r}", hint="`ftbridge jobs` lists all jobs.")
        return as_record(row)

    def requests(self, key: str | None, request_hash: str) -> list[Record]:
        """The jobs that may be the same request as one with that key and hash, newest first."""
        with self.reading() as connection:
            return candidates(connection, key, request_hash)

    def has_jobs_at(self, target: str) -> bool:
        """Whether any job was ever requested at that target."""
        with self.reading() as connection:
            return connection.execute(select(jobs.c.id).where(jobs.c.target == target).limit(1)).first() is not None

    def remote_ids(self, provider: str) -> set[str]:
        """The vendor's ids of all jobs at that provider."""
        query = select(jobs.c.remote_id).where(at_provider(provider), jobs.c.remote_id.is_not(None))
        with self.reading() as connection:
            return set(connection.execute(query).scalars())

    def knows(self, provider: str, remote_id: str) -> bool:
        """Whether the ledger has a job with that ID of the vendor's."""
        query = select(jobs.c.id).where(at_provider(provider), jobs.c.remote_id == remote_id).limit(1)
        with self.reading() as connection:
            return connection.execute(query).first() is not None

    def unconfirmed(self) -> list[Record]:
        """The jobs that ended here, and that their vendor may have all the same."""
        query = select(jobs).where(jobs.c.unclear.is_not(None), jobs.c.remote_id.is_(None))
        with self.reading() as connection:
            found = [as_record(row) for row in connection.execute(query.order_by(jobs.c.created_at, jobs.c.id))]
        return [record for record in found if record.unconfirmed]

    def by_key(self, key: str) -> Record | None:
        """The job with that idempotency key."""
        with self.reading() as connection:
            row = connection.execute(select(jobs).where(jobs.c.user_key == key)).first()
        return as_record(row) if row else None

    def jobs(self, *statuses: Status) -> list[Record]:
        """All jobs, or those in one of `statuses`, oldest first."""
        query = select(jobs).order_by(jobs.c.created_at, jobs.c.id)
        if statuses:
            query = query.where(jobs.c.status.in_(statuses))
        with self.reading() as connection:
            return [as_record(row) for row in connection.execute(query)]

    def change(
        self,
        record: Record,
        new_events: Sequence[Event] = (),
        *,
        check: Callable[[list[Record]], None] | None = None,
        **fields: Any,
    ) -> Record | None:
        """Change `fields` of the job and append its new events, together or not at all.

        `check` gets all jobs as they are at that moment, and raises if there must be no change. Returns the job as it
        is then, or `None`, with nothing written, if another process has changed it since `record` was read.
        """
        with self.writing() as connection:
            if check:
                lock_jobs(connection)
                check([as_record(row) for row in connection.execute(select(jobs))])
            unchanged = (jobs.c.id == record.job.id) & (jobs.c.version == record.version)
            values = {name: as_text(value) for name, value in fields.items()}
            changed = connection.execute(update(jobs).where(unchanged).values(version=record.version + 1, **values))
            if changed.rowcount == 0:
                return None
            self._append(connection, record.job.id, new_events)
        _log(record.job.id, new_events)
        return self.job(record.job.id)

    def events(self, job_id: str, after: int = 0) -> list[tuple[int, Event]]:
        """The job's events with their numbers, which run from 1, from the one after `after`."""
        query = select(events).where(events.c.job_id == job_id, events.c.number > after).order_by(events.c.number)
        with self.reading() as connection:
            rows = connection.execute(query).all()
        return [(row.number, read_event(row.event)) for row in rows]

    def upload(self, account: str, content_key: str) -> str | None:
        """The vendor's id of a file with that content, if it was uploaded to that account before."""
        query = select(uploads.c.remote_file)
        query = query.where(uploads.c.account == account, uploads.c.content_key == content_key)
        with self.reading() as connection:
            found: str | None = connection.execute(query).scalar()
        return found

    def forget_uploads(self, account: str, remote_files: Iterable[str]) -> None:
        """Forget uploads that the vendor may have deleted."""
        gone = (uploads.c.account == account) & uploads.c.remote_file.in_(list(remote_files))
        with self.writing() as connection:
            connection.execute(delete(uploads).where(gone))

    def remember_upload(self, account: str, content_key: str, remote_file: str) -> None:
        """Remember that the vendor has the file."""
        row = {"account": account, "content_key": content_key, "remote_file": remote_file}
        with self.writing() as connection:
            connection.execute(_REMEMBER, {"created_at": now().isoformat(), **row})

    def _append(self, connection: Connection, job_id: str, new_events: Sequence[Event]) -> None:
        last = connection.execute(select(func.max(events.c.number)).where(events.c.job_id == job_id)).scalar() or 0
        numbered = list(enumerate(new_events, start=last + 1))
        rows = [
            {"job_id": job_id, "number": number, "event": event.model_dump_json(exclude_none=True)}
            for number, event in numbered
        ]
        if rows:
            connection.execute(insert(events), rows)
        owe(connection, job_id, numbered)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        with self._as_ledger_errors(), self._database.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that may write, committed when the block ends well."""
        with self._as_ledger_errors(), self._database.engine.execution_options(writes=True).begin() as connection:
            yield connection

    @contextmanager
    def _as_ledger_errors(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except (DBAPIError, OSError) as problem:
            raise self._database.as_error(problem) from problem


def _log(job_id: str, new_events: Iterable[Event]) -> None:
    """Log status changes and messages; the metrics of every step would drown them."""
    for event in new_events:
        if event.kind in ("status", "message"):
            _logger.info("%s: %s", job_id, event)
