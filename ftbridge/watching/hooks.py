"""Hooks: a command, or a signed HTTPS request, for each change of a job, at least once.

Deliveries are written into the ledger with the change itself and removed once they have succeeded, so that they
survive every crash. Requests are signed as Standard Webhooks 1.0.0 has it
(standardwebhooks.com, specification): `webhook-id` stays the same through all repetitions, by which
the receiver can recognise them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import subprocess
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from ftbridge.child_environment import child_environment
from ftbridge.config import Hook
from ftbridge.ledger import Delivery, Ledger, delivered, due, postponed
from ftbridge.model import Event, Job, now
from ftbridge.wording import clause

_logger = logging.getLogger(__name__)
WAITS = (5, 30, 300, 1800, 7200, 21600)
"""Seconds before each repetition; the last holds for all that follow."""
_PATIENCE = 20.0


def deliver(ledger: Ledger, hooks: Mapping[str, Hook], warn: Callable[[str], None]) -> int:
    """Run the hooks for what is due; how many deliveries succeeded. One process at a time does it."""
    count = 0
    with ledger.lock("hooks") as locked:
        for delivery in due(ledger, now()) if locked else ():
            hook = hooks.get(delivery.hook)
            problem = _deliver_one(delivery, hook, ledger) if hook else None
            if problem is None:
                delivered(ledger, delivery)
                _logger.info("hook %s: delivered event %s of %s", delivery.hook, delivery.number, delivery.job_id)
                count += 1
                continue
            wait = WAITS[min(delivery.attempts, len(WAITS) - 1)]
            postponed(ledger, delivery, now() + timedelta(seconds=wait))
            warn(f"hook {delivery.hook} failed for {delivery.job_id}: {clause(problem)}; again in {wait} s")
    return count


def _deliver_one(delivery: Delivery, hook: Hook, ledger: Ledger) -> str | None:
    """Run one hook for one event; `None`, or what went wrong."""
    [(_number, event), *_later] = ledger.events(delivery.job_id, after=delivery.number - 1)
    message = json.dumps(_message(ledger.job(delivery.job_id).job, event), ensure_ascii=False).encode()
    if hook.url:
        return _post(hook, f"{delivery.job_id}.{delivery.number}", message, hook.secret(delivery.hook))
    return _run(hook, message)


def _message(job: Job, event: Event) -> dict[str, Any]:
    return {
        "type": f"job.{event.status}" if event.kind == "status" else "job.message",
        "timestamp": event.at.isoformat(),
        "data": {
            "job": job.model_dump(mode="json", exclude={"spec"}),
            "event": event.model_dump(mode="json", exclude_none=True),
        },
    }


def _post(hook: Hook, message_id: str, message: bytes, secret: bytes) -> str | None:
    import httpx

    at = str(int(now().timestamp()))
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": at,
        "webhook-signature": signature(secret, message_id, at, message),
    }
    try:
        answer = httpx.post(str(hook.url), content=message, headers=headers, timeout=_PATIENCE)
    except httpx.HTTPError as problem:
        return f"{type(problem).__name__}: {problem}"
    return None if answer.is_success else f"it answered {answer.status_code}"


def signature(secret: bytes, message_id: str, at: str, message: bytes) -> str:
    """The value of `webhook-signature`: HMAC-SHA256 over id, time and message."""
    signed = hmac.new(secret, f"{message_id}.{at}.".encode() + message, hashlib.sha256).digest()
    return "v1," + base64.b64encode(signed).decode()


def _run(hook: Hook, message: bytes) -> str | None:
    environment = child_environment(hook.secrets)
    try:
        ended = subprocess.run(
            hook.command, input=message, capture_output=True, timeout=_PATIENCE, check=False, env=environment
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        return str(problem)
    if ended.returncode:
        lines = ended.stderr.decode(errors="replace").strip().splitlines()
        return f"it ended with {ended.returncode}" + (f": {lines[-1]}" if lines else "")
    return None
