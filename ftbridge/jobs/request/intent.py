"""A request before it is sent: what it asks for, and when two of them ask for the same."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from ftbridge.errors import InputError
from ftbridge.ledger import Intent, Prepared, Record
from ftbridge.model import Cost, Spec, Status, now

OWNER = "FTBRIDGE_OWNER"
_A_DAY = timedelta(days=1)


def absolute_path(data: str | Path) -> Path:
    """The file wherever the working folder will be; - stays standard input."""
    return Path(data) if str(data) == "-" else Path(data).absolute()


def json_object(given: Mapping[str, Any] | str | Path | None) -> dict[str, Any] | None:
    """A JSON object, given as it is or as the file that holds it. Raises `InputError` where there is none in it."""
    if given is None or isinstance(given, Mapping):
        return None if given is None else dict(given)
    try:
        found = json.loads(Path(given).read_bytes())
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise InputError(f"{given} cannot be read: {reason}", hint="Check the path.") from None
    except ValueError as problem:
        raise InputError(f"{given} is not JSON: {problem}", hint="Write one JSON object into it.") from None
    if not isinstance(found, dict):
        raise InputError(f"{given} does not hold a JSON object", hint='Write one into it, such as {"type": …}.')
    return found


def make_intent(spec: Spec, prepared: Prepared, key: str | None, cost: Cost, group: str | None = None) -> Intent:
    """The request for a new job, with an id that also is the tag by which the vendor's job is known."""
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
    """Who asks: $FTBRIDGE_OWNER, or the system's name of the user; `None` where it has none."""
    try:
        return os.environ.get(OWNER) or getpass.getuser()
    except (KeyError, OSError):
        return None


def request_hash(spec: Spec, prepared: Prepared) -> str:
    """Equal for requests that ask for the same: data, target, method and hyperparameters.

    The content of the files counts, and not where they lie; nor do the job's name, and what it may cost.
    """
    beside = {"data", "validation", "max_cost_usd", "name"}
    asked = spec.model_dump_json(exclude=beside, exclude_defaults=True) + prepared.model_dump_json()
    return hashlib.sha256(asked.encode()).hexdigest()


def is_same(record: Record, key: str | None, account: str) -> bool:
    """Whether a job of the same key, or of an equal request, is the one that is asked for now.

    One that is open, or may be at its vendor, is; one that has succeeded is for a day, or for ever under its key. One
    that failed or was cancelled is not, and neither is one at another account.
    """
    job = record.job
    if record.unconfirmed or job.status is Status.SUBMITTING or (key is not None and record.key == key):
        return True
    if record.account not in (None, account):
        return False
    return not job.status.final or (job.status is Status.SUCCEEDED and now() - (job.finished_at or now()) < _A_DAY)
