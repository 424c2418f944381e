"""Together's SDK, opened with care: no retries of its own, no redirects, and its errors in ftbridge's tree."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ftbridge.errors import BadAnswer, MissingExtra
from ftbridge.provider.answers import error_from, is_never_sent, network_error, timeout_error
from ftbridge.provider.connection import Connection

if TYPE_CHECKING:
    from together import Together

NAME = "together"


def open_client(connection: Connection, *, timeout: float, on_response: Callable[[Any], None]) -> Together:
    """A client for `connection`. Raises `MissingExtra` where the SDK is not installed.

    The SDK's own retries are off: it would send a create again after a 500, without an idempotency
    key, and so pay twice. Redirects are off: it would send the request's body to another host; those
    of uploads and downloads are part of the protocol and handled where they occur. Since 3.0 the SDK
    adds `/v1` itself. `timeout` is in seconds, for each read and write. `on_response` gets every answer.
    """
    try:
        from together import DefaultHttpxClient, Together
    except ImportError as problem:
        raise MissingExtra(
            "Together's SDK is not installed", hint="Install it with: pip install 'ftbridge[together]'"
        ) from problem
    return Together(
        base_url=connection.base_url.removesuffix("/v1"),
        api_key=connection.key(),
        max_retries=0,
        timeout=timeout,
        http_client=DefaultHttpxClient(follow_redirects=False, event_hooks={"response": [on_response]}),
    )


@contextmanager
def understood() -> Iterator[None]:
    """Turn whatever the SDK raises in the block into ftbridge's errors."""
    import httpx

    import together

    try:
        yield
    except together.APIStatusError as problem:
        # from the answer itself: at uploads the SDK puts words of its own in place of the vendor's
        if problem.status_code < 300:
            raise not_understood() from None
        raise _refusal(problem.response) from None
    except (together.APITimeoutError, httpx.TimeoutException) as problem:
        cause = problem.__cause__ or problem
        raise (network_error(NAME, cause) if is_never_sent(cause) else timeout_error(NAME)) from None
    except (together.APIConnectionError, httpx.TransportError, httpx.StreamError) as problem:
        raise network_error(NAME, problem.__cause__ or problem) from None
    except (together.APIResponseValidationError, json.JSONDecodeError, AssertionError):
        # the SDK asserts that the last answer of an upload is the file
        raise not_understood() from None


def sound(answer: Any, *, needs: str = "id") -> Any:
    """`answer`, if it is the object that was asked for: the SDK passes on anything, an HTML page as a string."""
    if getattr(answer, needs, None) is None:
        raise not_understood()
    return answer


def not_understood() -> BadAnswer:
    """The error for an answer that makes no sense."""
    return BadAnswer(
        f"{NAME} answered something that is not its API's",
        provider=NAME,
        hint="A proxy may stand between, or the base URL may be wrong.",
    )


def _refusal(response: Any) -> Exception:
    """The error for an answer that is one, in Together's envelope or with a bare `message`."""
    try:
        body = response.json()
    except ValueError:
        body = {}
    error = body.get("error", body) if isinstance(body, dict) else {}
    if not isinstance(error, dict):
        error = {"message": str(error)}
    return error_from(
        NAME,
        response.status_code,
        str(error.get("message") or response.reason_phrase),
        code=error.get("code"),
        kind=error.get("type"),
        param=error.get("param"),
        headers=response.headers,
    )
