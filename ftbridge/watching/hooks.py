"""Hooks: a command, or a signed HTTPS request, for each change of a job, at least once.

Deliveries are written into the ledger with the change itself and removed once they have succeeded, so that they
survive every crash. A process calls the hooks that its home knows, and leaves the others due. Requests are signed as
Standard Webhooks 1.0.0 has it (standardwebhooks.com, specification): `webhook-id` stays the same through all
repetitions, by which the receiver can recognise them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import os
import shlex
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from io import BufferedReader
from pathlib import Path
from typing import Any

from ftbridge.child_environment import child_environment
from ftbridge.config import BETWEEN, Hook
from ftbridge.config.load import KnownHooks
from ftbridge.errors import ConfigError
from ftbridge.ledger import Delivery, Ledger, count_deliveries, delivered, due, postponed
from ftbridge.model import Event, Job, now
from ftbridge.provider.network import client_options
from ftbridge.wording import clause

_logger = logging.getLogger(__name__)
WAITS = (5, 30, 300, 1800, 7200, 21600)
"""Seconds before each repetition; the last holds for all that follow."""
_PATIENCE = 20.0
"""Seconds that one call of a hook may take from its beginning to its end, however slowly it answers."""
_LONGEST_ROUND = 60.0
"""Seconds after which a round begins no further call: what is left is due to the next."""
_KEPT = 64 * 1024
"""Bytes that are kept of what a command writes as errors."""


class HookDelivery:
    """Calls the hooks that are owed something; one process of a home at a time does it.

    `warn` gets what is wrong with a hook. One that this process cannot call, for lack of its secret, is warned of once.
    """

    def __init__(self, ledger: Ledger, hooks: KnownHooks, warn: Callable[[str], None]) -> None:
        self._ledger = ledger
        self._hooks = hooks
        self._warn = warn
        self._warned: set[str] = set()

    def deliver(self) -> int:
        """Call the hooks for what is due; how many deliveries succeeded.

        A hook that fails is left alone for the rest of the round: one that does not answer takes its time once.
        """
        if not self._hooks.callable and not self._hooks.held:
            return 0
        count, until = 0, time.monotonic() + _LONGEST_ROUND
        with self._ledger.lock(f"hooks-{self._hooks.sources[0]}") as locked:
            for name in self._hooks.callable if locked else ():
                for delivery in due(self._ledger, now(), [name]):
                    if time.monotonic() > until or not self._deliver_one(delivery):
                        break
                    count += 1
        self._warn_of_held()
        return count

    def left(self) -> int:
        """How many deliveries to the hooks that can be called have not succeeded yet."""
        return count_deliveries(self._ledger, self._hooks.callable)

    def _deliver_one(self, delivery: Delivery) -> bool:
        """Call one hook for one event; whether it succeeded."""
        name, hook = hook_name(delivery), self._hooks.callable[delivery.hook]
        try:
            hook.check(name)
        except ConfigError as unusable:  # it is not the hook that failed, so the attempt does not count
            self._warn_once(f"{unusable.message}, so it is not called for {delivery.job_id}. {unusable.hint}")
            return False
        problem = _call(delivery, name, hook, self._ledger, self._hooks.folders.get(delivery.hook))
        if problem is None:
            delivered(self._ledger, delivery)
            _logger.info("hook %s: delivered event %s of %s", name, delivery.number, delivery.job_id)
            return True
        wait = WAITS[min(delivery.attempts, len(WAITS) - 1)]
        postponed(self._ledger, delivery, now() + timedelta(seconds=wait))
        self._warn(f"hook {name} failed for {delivery.job_id}: {clause(problem)}; again in {wait} s")
        return False

    def _warn_of_held(self) -> None:
        for delivery in due(self._ledger, now(), self._hooks.held) if self._hooks.held else ():
            file = self._hooks.held[delivery.hook]
            self._warn_once(
                f"hook {hook_name(delivery)} is not called, and what is due to it stays due, because {file} has changed"
                f" since it was trusted: `ftbridge trust {shlex.quote(str(file))}` shows it, and asks whether to trust"
                " it again"
            )

    def _warn_once(self, sentence: str) -> None:
        if sentence not in self._warned:
            self._warned.add(sentence)
            self._warn(sentence)


def hook_name(delivery: Delivery) -> str:
    """The hook's name as it is in ftbridge.toml."""
    return delivery.hook.rpartition(BETWEEN)[0]


def _call(delivery: Delivery, name: str, hook: Hook, ledger: Ledger, folder: Path | None) -> str | None:
    """Call one hook for one event; `None`, or what went wrong. An event that is gone needs no call."""
    numbered = ledger.events(delivery.job_id, after=delivery.number - 1)[:1]
    events = [event for number, event in numbered if number == delivery.number]
    if not events:
        return None
    message = json.dumps(_message(ledger.job(delivery.job_id).job, events[0]), ensure_ascii=False).encode()
    if hook.url:
        return _post(hook, f"{delivery.job_id}.{delivery.number}", message, hook.secret(name))
    return _run(hook, message, folder)


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
    at = str(int(now().timestamp()))
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": at,
        "webhook-signature": signature(secret, message_id, at, message),
    }
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=1) as thread:  # the caller's thread may run an event loop already
        return thread.submit(lambda: asyncio.run(_answer(str(hook.url), message, headers))).result()


async def _answer(url: str, message: bytes, headers: Mapping[str, str]) -> str | None:
    """Post the message; what is wrong with the answer. Its body is not read: only the status matters."""
    import asyncio

    import httpx

    try:
        async with (
            asyncio.timeout(_PATIENCE),  # httpx's own time-outs begin anew with every byte
            httpx.AsyncClient(timeout=_PATIENCE, **client_options(url)) as client,
            client.stream("POST", url, content=message, headers=headers) as answer,
        ):
            return None if answer.is_success else f"it answered {answer.status_code}"
    except TimeoutError:
        return f"it did not answer within {_PATIENCE:.0f} s"
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ImportError) as problem:  # the last for a SOCKS proxy
        return f"{type(problem).__name__}: {problem}"


def signature(secret: bytes, message_id: str, at: str, message: bytes) -> str:
    """The value of `webhook-signature`: HMAC-SHA256 over id, time and message."""
    signed = hmac.new(secret, f"{message_id}.{at}.".encode() + message, hashlib.sha256).digest()
    return "v1," + base64.b64encode(signed).decode()


def _run(hook: Hook, message: bytes, folder: Path | None = None) -> str | None:
    with tempfile.TemporaryFile() as given:  # a pipe would wait for a command that does not read it
        given.write(message)
        given.seek(0)
        try:
            process = subprocess.Popen(
                hook.command,
                stdin=given,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
                cwd=folder,
                env=child_environment(hook.secrets),
            )
        except (OSError, ValueError) as problem:
            return str(problem)
    errors = _LastBytes(process)
    try:
        code = process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError, PermissionError):  # it has just ended; macOS says the second
            os.killpg(process.pid, signal.SIGKILL)  # with what it has started
        process.wait()
        return f"it did not end within {_PATIENCE:.0f} s, and was killed"
    if code:
        lines = errors.read().decode(errors="replace").strip().splitlines()
        return f"it ended with {code}" + (f": {lines[-1]}" if lines else "")
    return None


class _LastBytes:
    """The last bytes of a command's standard error, of which there may be any number.

    It is read in a thread, because what the command leaves running may keep it open.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._stream = process.stderr
        self._last = b""
        self._thread = threading.Thread(target=self._keep, name="ftbridge hook", daemon=True)
        self._thread.start()

    def read(self) -> bytes:
        """What there is once the command has ended."""
        self._thread.join(1.0)
        return self._last

    def _keep(self) -> None:
        assert isinstance(self._stream, BufferedReader)
        with self._stream:
            while some := self._stream.read1(_KEPT):
                self._last = (self._last + some)[-_KEPT:]
