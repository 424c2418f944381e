"""A request before it is sent, and when two requests are the same."""

from __future__ import annotations

import getpass
import hashlib
import os
import secrets
from datetime import datetime, timedelta
from pathlib import Path

from ftbridge.dataset.data_file import Data
from ftbridge.ledger import Intent, Prepared, Record
from ftbridge.model import Cost, Spec, Status, now

OWNER = "FTBRIDGE_OWNER"
_A_DAY = timedelta(days=1)


def absolute_path(data: Data) -> Path:
    """The file's absolute path; - stays standard input."""
    return Path(data) if Path(data) == Path("-") else Path(data).absolute()


def make_intent(spec: Spec, prepared: Prepared, key: str | None, cost: Cost, group: str | None = None) -> Intent:
    """The intent for a new job; its ID is also the tag by which the vendor's job is found."""
    return Intent(
        id=f"ftb_{secrets.token_hex(6)}",
        target=spec.target,
        spec=spec,
        prepared=prepared,
        request_hash=request_hash(spec, prepared),
        key=key,
        cost=cost,
        owner=_owner(),
        group=group,
        created_at=now(),
    )


def _owner() -> str | None:
    """Who submits: $FTBRIDGE_OWNER, or the system's user name; `None` where there is none."""
    try:
        return os.environ.get(OWNER) or getpass.getuser()
    except (KeyError, OSError):
        return None


def request_hash(spec: Spec, prepared: Prepared) -> str:
    """Equal for requests with the same data, target, method and hyperparameters.

    The content of the files counts, and not their paths and how they were read; the job's name and its cost limit do
    not count.
    """
    excluded = {"data", "validation", "format", "map", "max_cost_usd", "name"}
    text = spec.model_dump_json(exclude=excluded, exclude_defaults=True) + prepared.model_dump_json()
    return hashlib.sha256(text.encode()).hexdigest()


def is_same(record: Record, key: str | None, account: str) -> bool:
    """Whether a job with the same key, or of an equal request, is the job that is requested now.

    It is while it is open or unclear, for a day after it has succeeded, and for ever under its key. It is not if it
    failed, was cancelled, or is at another account.
    """
    job = record.job
    if record.unconfirmed or job.status is Status.SUBMITTING or (key is not None and record.key == key):
        return True
    if record.account not in (None, account):
        return False
    return not job.status.final or (job.status is Status.SUCCEEDED and now() - _seen_to_end(record) < _A_DAY)


def _seen_to_end(record: Record) -> datetime:
    """When this ledger saw the job's end, or the vendor's time of it where that is later: vendors' clocks may lag."""
    return max(filter(None, (record.progress_at, record.job.finished_at)), default=now())
