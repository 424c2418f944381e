"""What people write to choose among their jobs, read into the ledger's conditions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import TypedDict

from ftbridge.arguments import read_age
from ftbridge.context import Context
from ftbridge.errors import UsageError
from ftbridge.ledger import JobFilter, providers_of_jobs
from ftbridge.model import Status, now
from ftbridge.plugins import mock_names, provider_names
from ftbridge.wording import did_you_mean


class JobConditions(TypedDict, total=False):
    """Conditions on jobs, all of which must be met.

    `since` is when the job was created: a date or time, which is local where it has no time zone, or how long ago, as
    "7d" (m, h, d, w). In `name`, * stands for any characters and ? for one. Of these jobs, `limit` takes the newest.
    The jobs by which `compare` measures this machine are listed only with their group, "measurement".
    """

    status: str | Iterable[str] | None
    provider: str | None
    since: str | date | timedelta | None
    name: str | None
    group: str | None
    limit: int | None


def read_conditions(context: Context, given: JobConditions) -> JobFilter:
    """The conditions as the ledger takes them. Raises `UsageError` for one that cannot be met."""
    status, provider, since = given.get("status"), given.get("provider"), given.get("since")
    limit = given.get("limit")
    if limit is not None and limit < 1:
        raise UsageError(f"a limit of {limit} jobs would list none", hint="Give a number from 1.")
    if provider is not None:
        _check_provider(context, provider)
    return JobFilter(
        statuses=tuple(map(_status, [status] if isinstance(status, str) else status or ())),
        provider=provider,
        since=None if since is None else _moment(since),
        name=given.get("name"),
        group=given.get("group"),
        limit=limit,
    )


def _status(word: str) -> Status:
    try:
        return Status(word)
    except ValueError:
        hint = f"{did_you_mean(word, map(str, Status))}A status is one of {', '.join(Status)}."
        raise UsageError(f"{word!r} is not a status", hint=hint) from None


def _check_provider(context: Context, name: str) -> None:
    installed = [*provider_names(), *(f"mock+{vendor}" for vendor in mock_names())]
    known = list(dict.fromkeys([*installed, *providers_of_jobs(context.ledger)]))  # one may be uninstalled since
    if name not in known:
        hint = f"{did_you_mean(name, known)}Known providers: {', '.join(known)}."
        raise UsageError(f"no provider is called {name!r}", hint=hint)


def _moment(since: str | date | timedelta) -> datetime:
    try:
        if isinstance(since, str):
            age = read_age(since)
            since = datetime.fromisoformat(since) if age is None else age
        if isinstance(since, timedelta):
            return now() - since
        if not isinstance(since, datetime):
            since = datetime(since.year, since.month, since.day)
        return since.astimezone(UTC)
    except (ValueError, OverflowError, OSError):  # astimezone raises any of them near the years 1 and 9999
        raise UsageError(
            f"{str(since)!r} is not a time", hint="Write it as a date, 2026-11-01, or as how long ago: 12h, 7d or 2w."
        ) from None
