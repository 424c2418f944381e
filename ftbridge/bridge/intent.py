"""A request before it is sent: what it asks for, and when two of them ask for the same."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ftbridge.errors import InputError
from ftbridge.ledger import Intent, Prepared
from ftbridge.model import Cost, Spec, now


def place_of(data: str | Path) -> Path:
    """The file wherever the working folder will be; - stays standard input."""
    return Path(data) if str(data) == "-" else Path(data).absolute()


def object_of(given: Mapping[str, Any] | str | Path | None) -> dict[str, Any] | None:
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


def make_intent(spec: Spec, prepared: Prepared, key: str | None, cost: Cost) -> Intent:
    """The wish for a new job, with an id that also is the tag by which the vendor's job is known."""
    return Intent(
        id=f"ftb_{secrets.token_hex(6)}",
        target=spec.target,
        spec=spec,
        prepared=prepared,
        request_hash=request_hash(spec, prepared),
        key=key,
        cost=cost,
        created_at=now(),
    )


def request_hash(spec: Spec, prepared: Prepared) -> str:
    """Equal for requests that ask for the same: the content of the files counts, not where they lie or may cost."""
    asked = spec.model_dump_json(exclude={"data", "validation", "max_cost_usd"}) + prepared.model_dump_json()
    return hashlib.sha256(asked.encode()).hexdigest()
