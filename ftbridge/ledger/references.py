"""Finding the job that a person means: by its ID, its name, "last", or what its vendor calls it."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, false, func, select

from ftbridge.errors import JobNotFound
from ftbridge.ledger.filters import no_measurement
from ftbridge.ledger.record import Record
from ftbridge.ledger.rows import as_record, at_provider
from ftbridge.ledger.schema import jobs
from ftbridge.ledger.store import Ledger
from ftbridge.model import Result, Status

LAST = "last"
_SHOWN = 3  # jobs, or similar names, that an error lists
_COMPARED = 2000  # of the newest jobs, among whose names and IDs similar ones are sought


class Found(NamedTuple):
    """The job that is meant; `namesakes` counts the jobs of the name that was given, and is 0 where it was no name."""

    record: Record
    namesakes: int = 0


def find_record(ledger: Ledger, reference: str) -> Found:
    """The job with that ID, the beginning of an ID, or a name; of several with that name, the newest.

    "last" is the newest job that was not refused by its provider. With `provider:` before it, a name or "last" is
    sought among that provider's jobs, and the vendor's ID of a job or tuned model is understood too.

    Raises `JobNotFound`, naming those that are similar, or those that are meant alike.
    """
    with ledger.reading() as connection:
        found = connection.execute(select(jobs).where(jobs.c.id == reference)).first()
        if found is None and reference.rpartition(":")[2] == LAST:
            found = next(iter(_newest(connection, _is_last(reference), 1)), None)
        if found:
            return Found(as_record(found))
        identified = _newest(connection, _has_id(reference), _SHOWN + 1)
        named = _newest(connection, _has_name(reference), 1)
        several = {row.id: row for row in (*identified, *named)}
        if not several:
            raise _not_found(connection, reference)
        if len(several) > 1:
            raise _ambiguous(reference, list(several.values()))
        [row] = several.values()
        namesakes = select(func.count()).select_from(jobs).where(_has_name(reference))
        return Found(as_record(row), connection.execute(namesakes).scalar_one() if named else 0)


def _newest(connection: Connection, condition: ColumnElement[bool], limit: int) -> list[Row[Any]]:
    query = select(jobs).where(condition).order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).limit(limit)
    return list(connection.execute(query).all())


def _is_last(reference: str) -> ColumnElement[bool]:
    provider, colon, _last = reference.rpartition(":")
    not_refused = no_measurement() & (jobs.c.remote_id.is_not(None) | (jobs.c.status != Status.FAILED))
    return not_refused & at_provider(provider) if colon else not_refused


def _has_id(reference: str) -> ColumnElement[bool]:
    """That the job's ID begins like that or, with a provider, that its vendor calls it, or its model, so."""
    provider, colon, name = reference.partition(":")
    if not colon:
        return func.substr(jobs.c.id, 1, len(reference)) == reference if reference else false()
    made = Result(model=name).model_dump_json(include={"model"})[:-1]  # as the column's text begins
    at_vendor = (jobs.c.remote_id == name) | (func.substr(jobs.c.result, 1, len(made)) == made)
    return at_provider(provider) & at_vendor


def _has_name(reference: str) -> ColumnElement[bool]:
    provider, colon, name = reference.partition(":")
    whole = jobs.c.name == reference
    return whole | (at_provider(provider) & (jobs.c.name == name)) if colon else whole


def _not_found(connection: Connection, reference: str) -> JobNotFound:
    if connection.execute(select(jobs.c.id).limit(1)).first() is None:
        return JobNotFound(
            f"there is no job {reference!r}, and none at all yet",
            hint="`ftbridge submit` or `ftbridge demo` makes one.",
        )
    provider, colon, name = reference.partition(":")
    if name == LAST or reference == LAST:
        hint = '"last" leaves out jobs that their provider refused.'
    else:
        hint = f"`ftbridge import {provider}` imports those of its account." if colon else ""
    near = get_close_matches(reference, _known(connection, with_provider=bool(colon)), n=_SHOWN)
    meant = f"Did you mean {' or '.join(map(repr, near))}?" if near else ""
    hint = " ".join(filter(None, (meant, "`ftbridge jobs` lists all jobs.", hint)))
    return JobNotFound(f"there is no job {reference!r}", hint=hint)


def _known(connection: Connection, *, with_provider: bool) -> list[str]:
    """What the newest jobs can be called by."""
    query = select(jobs.c.id, jobs.c.name, jobs.c.target).order_by(jobs.c.created_at.desc()).limit(_COMPARED)
    rows = connection.execute(query).all()
    if not with_provider:
        return [*dict.fromkeys(row.name for row in rows if row.name), *(row.id for row in rows)]
    return list(dict.fromkeys(f"{row.target.partition(':')[0]}:{name}" for row in rows for name in (row.name, LAST)))


def _ambiguous(reference: str, rows: list[Row[Any]]) -> JobNotFound:
    shown = [f"{row.id} ({row.name})" if row.name else str(row.id) for row in rows[:_SHOWN]]
    more = " and others" if len(rows) > _SHOWN else ""
    return JobNotFound(
        f"{reference!r} is the beginning of an ID, or the name, of several jobs: {', '.join(shown)}{more}",
        hint="Give more of the ID.",
    )
