"""Asking a vendor to cancel, pause or resume a job: once, and then checking the job's status.

The answer to such a request may be lost, or misleading, although the vendor has done it. So an error counts only if
the job's status has not changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from ftbridge.errors import (
    FtbridgeError,
    NetworkError,
    ProviderError,
    RateLimited,
    ServerTrouble,
    StateError,
    Unsupported,
)
from ftbridge.model import Status
from ftbridge.provider import Provider, RemoteJob

_ATTEMPTS = 4
_POLLS = 4
_LONGEST_PAUSE = 0.5  # seconds between two polls, for a vendor that needs a moment
_LONGEST_WAIT = 30.0  # seconds of Retry-After that are waited for
_TEMPORARY = (NetworkError, RateLimited, ServerTrouble)


def steer(provider: Provider, remote_id: str, ask: Callable[[str], None], wanted: Collection[Status]) -> None:
    """Ask for something that brings the job to one of the statuses in `wanted`.

    After a temporary error the job is polled and, if its status has not changed, the vendor is asked again. Raises the
    vendor's last error if the job has none of these statuses and is not on its way to one.
    """
    for attempt in range(_ATTEMPTS):
        try:
            ask(remote_id)
        except (Unsupported, StateError):
            raise
        except (ProviderError, NetworkError) as problem:
            if _is_done(provider, remote_id, wanted):
                return
            if not isinstance(problem, _TEMPORARY) or attempt + 1 == _ATTEMPTS:
                raise
            _wait(problem, provider)
        else:
            return


def _is_done(provider: Provider, remote_id: str, wanted: Collection[Status]) -> bool:
    """Whether the vendor has done it after all, or reports that it is about to."""
    for _attempt in range(_POLLS):
        job = _poll(provider, remote_id)
        if job and (job.status in wanted or job.raw_status in provider.transitional_statuses):
            return True
        time.sleep(min(_LONGEST_PAUSE, provider.poll_seconds))
    return False


def _poll(provider: Provider, remote_id: str) -> RemoteJob | None:
    try:
        return next(iter(provider.poll([remote_id])), None)
    except FtbridgeError:
        return None


def _wait(problem: FtbridgeError, provider: Provider) -> None:
    seconds: float | None = getattr(problem, "retry_after", None)
    if seconds is not None and seconds > _LONGEST_WAIT:
        raise problem
    time.sleep(seconds if seconds is not None else min(_LONGEST_PAUSE, provider.poll_seconds))
