"""Mistral's API through one HTTP client: the SDK for files, models and chat, plain requests for jobs.

The SDK has had no jobs since 2.5.2 (2026-07); services that speak the API may still have them.
"""

from __future__ import annotations

import inspect
import logging
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from ftbridge.errors import BadAnswer, MissingExtra, ProviderError, SpecError
from ftbridge.provider.answers import error_from, is_never_sent, network_error, timeout_error
from ftbridge.provider.connection import Connection
from ftbridge.provider.network import client_options
from ftbridge.provider.unreadable import UNREADABLE, decode_json
from ftbridge.wording import did_you_mean

if TYPE_CHECKING:
    from httpx2 import Response
    from mistralai.client import Mistral

T = TypeVar("T")

NAME = "mistral"
_OPTIONS = {"seed": "random_seed", "max_completion_tokens": "max_tokens"}
"""Options of a chat completion that Mistral calls something else than OpenAI does."""


class MistralClient:
    """`send` is for jobs, `sdk` for everything else. Raises `MissingExtra` where the SDK is not installed.

    Nothing is sent twice: the SDK does not retry unless configured to. Redirects are off: they would
    send the request's body to another host. `timeout` is in seconds, for each read and write. `on_response` is
    called with every response.
    """

    def __init__(self, connection: Connection, *, timeout: float, on_response: Callable[[Any], None]) -> None:
        try:
            import httpx2
        except ImportError as problem:
            raise _missing() from problem
        self._connection = connection
        self._timeout = timeout
        self._http = httpx2.Client(
            base_url=connection.base_url,
            auth=connection.auth(),
            headers={"authorization": f"Bearer {connection.key()}"},
            follow_redirects=False,
            timeout=timeout,
            event_hooks={"response": [on_response]},
            **client_options(connection.base_url),
        )
        weakref.finalize(self, self._http.close)  # if a provider is dropped without being closed

    @cached_property
    def sdk(self) -> Mistral:
        """The SDK, on the same connections; it is imported when it is needed, since that takes long."""
        try:
            from mistralai.client import Mistral
        except ImportError as problem:
            raise _missing() from problem
        return Mistral(
            api_key=self._connection.key(),
            server_url=self._connection.base_url,
            client=self._http,
            timeout_ms=int(self._timeout * 1000),
            # the SDK's own logger prints every header, the key among them, when MISTRAL_DEBUG is set
            debug_logger=logging.Logger("mistral", level=logging.INFO),
        )

    def send(self, method: str, path: str, into: type[T], **options: Any) -> T:
        """The answer to one request, read as `into`; `options` go to httpx2's `request` (`json`, `params`)."""
        with network_errors():
            response = self._http.request(method, path, **options)
        if response.status_code >= 300:
            raise error_of(response)
        try:
            answer: T = decode_json(response.content, into)
        except UNREADABLE:
            raise error_of(response) from None
        return answer

    def complete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a chat completion. Raises `SpecError` for an option that Mistral does not have."""
        create = self.sdk.chat.complete
        renamed = {_OPTIONS.get(name, name): value for name, value in request.items()}
        options = inspect.signature(create).parameters
        for name in renamed.keys() - options.keys():
            raise SpecError(
                f"{NAME} has no option {name} of a chat completion", hint=f"{did_you_mean(name, options)}Leave it out."
            )
        with translated_errors():
            return dict(create(**renamed).model_dump(mode="json"))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


@contextmanager
def network_errors() -> Iterator[None]:
    """Raise `NetworkError` for what httpx2 raises in the block."""
    import httpx2

    try:
        yield
    except httpx2.TimeoutException as problem:
        raise (network_error(NAME, problem) if is_never_sent(problem) else timeout_error(NAME)) from None
    except httpx2.RequestError as problem:
        raise network_error(NAME, problem) from None


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise ftbridge's errors for those that the SDK raises in the block."""
    from mistralai.client.errors import MistralError

    with network_errors():
        try:
            yield
        except MistralError as problem:
            raise error_of(problem.raw_response) from None


def error_of(response: Response) -> ProviderError:
    """The error of a response, by its status; for one with a status of success it is `BadAnswer`."""
    if response.status_code < 300:
        return BadAnswer(
            f"{NAME} sent an answer that does not belong to its API",
            provider=NAME,
            hint="Check the base URL, and whether a proxy answers in its place.",
        )
    body = _body(response)
    headers = dict(response.headers)
    if "request_id" in body:
        headers["x-request-id"] = str(body["request_id"])
    return error_from(
        NAME,
        response.status_code,
        _message(body) or response.reason_phrase,
        code=str(body["code"]) if body.get("code") is not None else None,
        kind=body.get("type"),
        headers=headers,
    )


def _body(response: Response) -> dict[str, Any]:
    try:
        body = decode_json(response.content, Any)
    except UNREADABLE:
        return {}
    return body if isinstance(body, dict) else {}


def _message(body: dict[str, Any]) -> str:
    """The vendor's message, in `message` or `detail`: a text, an object, or FastAPI's list."""
    detail = body.get("message") or body.get("detail") or ""
    if isinstance(detail, dict):
        return _message(detail)
    if isinstance(detail, list):
        return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in detail if _is_finding(one))
    errors = body.get("errors")
    listed = [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
    lines = [f"line {one.get('line_number')}: {one.get('message')}" for one in listed]
    return " ".join([str(detail), *lines[:3]])


def _is_finding(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get("loc"), list) and "msg" in one


def _missing() -> MissingExtra:
    return MissingExtra("Mistral's SDK is not installed", hint="Install it with: pip install 'ftbridge[mistral]'")
