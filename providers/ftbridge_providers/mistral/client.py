"""Mistral's API through one HTTP client: its SDK for files, models and chat, and by hand the routes for jobs.

The SDK has had no jobs since 2.5.2 (2026-07); a service that speaks the API may have them still.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ftbridge.errors import BadAnswer, MissingExtra, ProviderError
from ftbridge.provider.answers import error_from, is_never_sent, network_error, timeout_error
from ftbridge.provider.connection import Connection

if TYPE_CHECKING:
    from httpx2 import Response
    from mistralai.client import Mistral

T = TypeVar("T")

NAME = "mistral"


class MistralClient:
    """`ask` is for jobs, `sdk` for all else. Raises `MissingExtra` where the SDK is not installed.

    Nothing is sent twice: the SDK retries nothing unless told to. Redirects are off: they would
    carry the request's body to another host. `timeout` is in seconds, for each read and write. `on_response` gets every
    answer.
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
            headers={"authorization": f"Bearer {connection.key()}"},
            follow_redirects=False,
            timeout=timeout,
            event_hooks={"response": [on_response]},
        )
        weakref.finalize(self, self._http.close)  # for those who drop a provider without closing it

    @cached_property
    def sdk(self) -> Mistral:
        """The SDK, on the same connections; only files, models and chat need it, and it takes long to import."""
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

    def ask(self, method: str, path: str, into: type[T], **known: Any) -> T:
        """The answer to one request, read as `into`; `known` goes to httpx2's `request` (`json`, `params`)."""
        with reached():
            response = self._http.request(method, path, **known)
        if response.status_code >= 300:
            raise refused(response)
        try:
            return msgspec.json.decode(response.content, type=into)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise refused(response) from None

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


@contextmanager
def reached() -> Iterator[None]:
    """Turn what httpx2 raises in the block into `NetworkError`."""
    import httpx2

    try:
        yield
    except httpx2.TimeoutException as problem:
        raise (network_error(NAME, problem) if is_never_sent(problem) else timeout_error(NAME)) from None
    except httpx2.RequestError as problem:
        raise network_error(NAME, problem) from None


@contextmanager
def understood() -> Iterator[None]:
    """Turn whatever the SDK raises in the block into ftbridge's errors."""
    from mistralai.client.errors import MistralError

    with reached():
        try:
            yield
        except MistralError as problem:
            raise refused(problem.raw_response) from None


def refused(response: Response) -> ProviderError:
    """The error for an answer that is none, by its status; one that claims success is `BadAnswer`."""
    if response.status_code < 300:
        return BadAnswer(
            f"{NAME} answered something that is not its API's",
            provider=NAME,
            hint="A proxy may stand between, or the base URL may be wrong.",
        )
    body = _body(response)
    headers = dict(response.headers)
    if "request_id" in body:
        headers["x-request-id"] = str(body["request_id"])
    return error_from(
        NAME,
        response.status_code,
        _words(body) or response.reason_phrase,
        code=str(body["code"]) if body.get("code") is not None else None,
        kind=body.get("type"),
        headers=headers,
    )


def _body(response: Response) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return body if isinstance(body, dict) else {}


def _words(body: dict[str, Any]) -> str:
    """The vendor's own sentence, which stands in `message` or `detail`: a text, an object, or FastAPI's list."""
    said = body.get("message") or body.get("detail") or ""
    if isinstance(said, dict):
        return _words(said)
    if isinstance(said, list):
        return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in said if _is_finding(one))
    lines = [f"line {one.get('line_number')}: {one.get('message')}" for one in body.get("errors") or []]
    return " ".join([str(said), *lines[:3]])


def _is_finding(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get("loc"), list) and "msg" in one


def _missing() -> MissingExtra:
    return MissingExtra("Mistral's SDK is not installed", hint="Install it with: pip install 'ftbridge[mistral]'")
