"""Which hooks are owed a delivery for each change of a job, whichever process sees the change.

A hook has a name and a source: the config of one home, or a project's ftbridge.toml that this home trusts. A job has
the sources under which it was submitted, and the ledger the names of each source's hooks. What a hook does is known in
its home alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlalchemy import Connection, insert, select

from ftbridge.config import BETWEEN
from ftbridge.ledger.schema import deliveries, hooks, jobs
from ftbridge.model import Event, now


def owe(connection: Connection, job_id: str, numbered: Iterable[tuple[int, Event]]) -> None:
    """Owe those of the job's new events that say something to every hook of the job, at once."""
    numbers = [number for number, event in numbered if event.kind in ("status", "message")]
    owed = _hooks_of(connection, job_id) if numbers else ()
    rows = [
        {"hook": hook, "job_id": job_id, "number": number, "attempts": 0, "due_at": now().isoformat()}
        for number in numbers
        for hook in owed
    ]
    if rows:
        connection.execute(insert(deliveries), rows)


def _hooks_of(connection: Connection, job_id: str) -> list[str]:
    stored = connection.execute(select(jobs.c.hooks).where(jobs.c.id == job_id)).scalar()
    sources = _sources(stored)
    if not sources:
        return []
    query = select(hooks.c.name, hooks.c.source).where(hooks.c.source.in_(sources)).order_by(hooks.c.name)
    names = [f"{row.name}{BETWEEN}{row.source}" for row in connection.execute(query)]
    return [*names, *(source for source in sources if BETWEEN in source)]


def _sources(stored: str | None) -> list[str]:
    """The sources in a row; none where a newer ftbridge has stored something else."""
    try:
        found = json.loads(stored or "[]")
    except ValueError:
        return []
    return [source for source in found if isinstance(source, str)] if isinstance(found, list) else []
