"""The one retry policy: for reads and uploads, never for a request that creates a job; and polling with back-off."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception

from ftbridge.errors import AskedToWait, ConnectionRefused, FtbridgeError, NetworkError

T = TypeVar("T")
_logger = logging.getLogger(__name__)
FIRST_WAIT = 0.5
"""Seconds until the second attempt; each wait after it is twice as long."""
_REFUSED_ATTEMPTS = 4


def with_retries(
    request: Callable[[], T],
    *,
    attempts: int = 6,
    longest_wait: float = 30.0,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """What `request` returns, retried after network errors, 5xx and 429, in at most `attempts` attempts.

    Where nobody listens at the address, it gives up after the fourth attempt, about four seconds. Waits as long as the
    vendor's Retry-After says, else `FIRST_WAIT` doubling, with jitter. Where the vendor wants a longer wait than
    `longest_wait` seconds, its error is raised at once, so that a scheduler can do something else meanwhile.
    """
    retrying = Retrying(
        retry=retry_if_exception(lambda problem: _is_temporary(problem, longest_wait)),
        wait=lambda state: _wait(state, longest_wait),
        stop=lambda state: state.attempt_number >= (min(attempts, _REFUSED_ATTEMPTS) if _refused(state) else attempts),
        before_sleep=_log,
        sleep=sleep,
        reraise=True,
    )
    try:
        return retrying(request)
    except ConnectionRefused as problem:
        problem.given_up = True  # so that an operation of several requests does not begin all over again
        raise


def poll_until(
    poll: Callable[[], T | None],
    *,
    seconds: float,
    longest_wait: float = 10.0,
) -> T | None:
    """The first result of `poll` that is not `None`, polled at growing intervals; `None` after `seconds`."""
    deadline, wait = time.monotonic() + seconds, 0.1
    while (result := poll()) is None and time.monotonic() < deadline:
        time.sleep(wait)
        wait = min(2 * wait, longest_wait)
    return result


def _log(state: RetryCallState) -> None:
    problem = state.outcome.exception() if state.outcome else None
    reason = problem.message if isinstance(problem, FtbridgeError) else str(problem)
    _logger.info("%s; retrying in %.1f s", reason, state.upcoming_sleep, extra={"reason": reason})


def _refused(state: RetryCallState) -> bool:
    return bool(state.outcome and isinstance(state.outcome.exception(), ConnectionRefused))


def _is_temporary(problem: BaseException, longest_wait: float) -> bool:
    if isinstance(problem, AskedToWait):
        return (problem.retry_after or 0.0) <= longest_wait
    if isinstance(problem, ConnectionRefused):
        return not problem.given_up
    return isinstance(problem, NetworkError)


def _wait(state: RetryCallState, longest_wait: float) -> float:
    problem = state.outcome.exception() if state.outcome else None
    retry_after: float | None = getattr(problem, "retry_after", None)
    if retry_after is not None:
        return retry_after
    jitter: float = 1 + random.random() / 4  # noqa: S311 - spreads the load, no secret
    wait: float = min(longest_wait, FIRST_WAIT * 2 ** (state.attempt_number - 1) * jitter)
    return wait
