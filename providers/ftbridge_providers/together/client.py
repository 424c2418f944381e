"""Together's SDK without its retries and redirects, and with its errors translated to ftbridge's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ftbridge.errors import BadAnswer, MissingExtra
from ftbridge.provider.answers import error_from, is_never_sent, network_error, timeout_error
from ftbridge.provider.connection import Connection
from ftbridge.provider.network import client_options

if TYPE_CHECKING:
    from together import Together

NAME = "together"


def open_client(connection: Connection, *, timeout: float, on_response: Callable[[Any], None]) -> Together:
    """A client for `endpoint`. Raises `MissingExtra` where the SDK is not installed.

    The SDK's own retries are off: it would send a create again after a 500, without an idempotency
    key, and so pay twice. Redirects are off: it would send the request's body to another host; those
    of uploads and downloads are part of the protocol and are handled where they occur. Since 3.0 the SDK
    adds `/v1` itself. `timeout` is in seconds, for each read and write. `on_response` is called with every
    response.
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
        http_client=DefaultHttpxClient(
            auth=connection.auth(),
            follow_redirects=False,
            event_hooks={"response": [on_response]},
            **client_options(connection.base_url),
        ),
    )


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise ftbridge's errors for those that the SDK raises in the block."""
    import httpx

    import together

    try:
        yield
    except together.APIStatusError as problem:
        # read from the response: at uploads the SDK replaces the vendor's message by its own
        if problem.status_code < 300:
            raise unexpected_answer() from None
        raise _error_in(problem.response) from None
    except (together.APITimeoutError, httpx.TimeoutException) as problem:
        cause = problem.__cause__ or problem
        raise (network_error(NAME, cause) if is_never_sent(cause) else timeout_error(NAME)) from None
    except (together.APIConnectionError, httpx.TransportError, httpx.StreamError) as problem:
        raise network_error(NAME, problem.__cause__ or problem) from None
    except (together.APIResponseValidationError, json.JSONDecodeError, AssertionError):
        # the SDK asserts that the last answer of an upload is the file
        raise unexpected_answer() from None


def require(answer: Any, *, field: str = "id") -> Any:
    """`answer`, if it has `field`: the SDK returns anything, an HTML page as a string. Raises `BadAnswer`."""
    if getattr(answer, field, None) is None:
        raise unexpected_answer()
    return answer


def unexpected_answer() -> BadAnswer:
    """The error for an answer that is not one of the API's."""
    return BadAnswer(
        f"{NAME} sent an answer that does not belong to its API",
        provider=NAME,
        hint="Check the base URL, and whether a proxy answers in its place.",
    )


def _error_in(response: Any) -> Exception:
    """The error in a response, in Together's envelope or with a bare `message`."""
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
