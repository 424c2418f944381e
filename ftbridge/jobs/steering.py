"""Asking a vendor to cancel, pause or resume a job: once, and then by looking at what has come of it.

The answer to such a request may be lost, or be about something else, though the vendor has obeyed. So trouble is
believed only when the job itself stands where it stood.
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
_LOOKS = 4
_LONGEST_PAUSE = 0.5  # seconds between two looks, for a vendor that takes a moment to obey
_LONGEST_WAIT = 30.0  # seconds that a vendor may ask for before it is asked again
_MAY_PASS = (NetworkError, RateLimited, ServerTrouble)


def steer(provider: Provider, remote_id: str, ask: Callable[[str], None], wanted: Collection[Status]) -> None:
    """Ask for something that brings the job to one of `wanted`.

    Trouble that may pass is met by looking and, where the job has not obeyed, asking again. Raises the vendor's last
    answer where the job is not, and is not on its way to, what is wanted.
    """
    for attempt in range(_ATTEMPTS):
        try:
            ask(remote_id)
        except (Unsupported, StateError):
            raise
        except (ProviderError, NetworkError) as problem:
            if _has_obeyed(provider, remote_id, wanted):
                return
            if not isinstance(problem, _MAY_PASS) or attempt + 1 == _ATTEMPTS:
                raise
            _wait(problem, provider)
        else:
            return


def _has_obeyed(provider: Provider, remote_id: str, wanted: Collection[Status]) -> bool:
    """Whether the vendor has done what was asked after all, or says that it is about to."""
    for _look in range(_LOOKS):
        seen = _seen(provider, remote_id)
        if seen and (seen.status in wanted or seen.raw_status in provider.transitional_statuses):
            return True
        time.sleep(min(_LONGEST_PAUSE, provider.poll_seconds))
    return False


def _seen(provider: Provider, remote_id: str) -> RemoteJob | None:
    try:
        return next(iter(provider.poll([remote_id])), None)
    except FtbridgeError:
        return None


def _wait(problem: FtbridgeError, provider: Provider) -> None:
    asked: float | None = getattr(problem, "retry_after", None)
    if asked is not None and asked > _LONGEST_WAIT:
        raise problem
    time.sleep(asked if asked is not None else min(_LONGEST_PAUSE, provider.poll_seconds))
