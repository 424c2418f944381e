"""OpenAI's SDK without its retries and redirects, and with its errors translated to ftbridge's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from ftbridge.errors import BadAnswer, MissingExtra, ProviderError
from ftbridge.provider.answers import error_from, is_never_sent, network_error, timeout_error
from ftbridge.provider.connection import Connection
from ftbridge.provider.network import client_options
from ftbridge.provider.paging import by_cursor
from ftbridge.provider.retry import with_retries

if TYPE_CHECKING:
    from openai import OpenAI

T = TypeVar("T")


def open_client(
    connection: Connection,
    *,
    timeout: float,
    headers: dict[str, str] | None = None,
    on_response: Callable[[Any], None] | None = None,
) -> OpenAI:
    """A client for `endpoint`. Raises `MissingExtra` where the SDK is not installed.

    The SDK's own retries are off: it would send a create again after a 500, without an idempotency
    key, and so pay twice. Redirects are off: it would send the request's body to another host.
    `timeout` is in seconds, for each read and write. `on_response` is called with every response.
    """
    try:
        from openai import DefaultHttpx2Client, OpenAI
    except ImportError as problem:
        raise MissingExtra(
            "OpenAI's SDK is not installed", hint="Install it with: pip install 'ftbridge[openai]'"
        ) from problem
    client = OpenAI(
        base_url=connection.base_url,
        api_key=connection.key(),
        max_retries=0,
        timeout=timeout,
        default_headers=headers,
        http_client=DefaultHttpx2Client(
            auth=connection.auth(),
            follow_redirects=False,
            event_hooks={"response": [on_response] if on_response else []},
            **client_options(connection.base_url),
        ),
    )
    # from OPENAI_ORG_ID and OPENAI_PROJECT_ID, where a line end would be part of a header
    client.organization = (client.organization or "").strip() or None
    client.project = (client.project or "").strip() or None
    return client


@contextmanager
def translated_errors(provider: str) -> Iterator[None]:
    """Raise ftbridge's errors for those that the SDK raises in the block."""
    import openai

    try:
        yield
    except openai.APIStatusError as problem:
        raise error_from(
            provider,
            problem.status_code,
            _message(problem),
            code=problem.code,
            kind=problem.type,
            param=problem.param or _location(problem),
            headers=problem.response.headers,
        ) from None
    except openai.APITimeoutError as problem:
        cause = problem.__cause__ or problem
        raise (network_error(provider, cause) if is_never_sent(cause) else timeout_error(provider)) from None
    except openai.APIConnectionError as problem:
        raise network_error(provider, problem.__cause__ or problem) from None
    except (openai.APIResponseValidationError, json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise unexpected_answer(provider) from None
    except AttributeError as problem:  # the SDK raises it for a listing that is answered with a page of HTML
        raise unexpected_answer(provider) from problem


def require(provider: str, answer: Any, *, field: str = "id") -> Any:
    """`answer`, if it has `field`: the SDK returns anything, an HTML page as a string. Raises `BadAnswer`."""
    if getattr(answer, field, None) is None:
        raise unexpected_answer(provider)
    return answer


def deleted(provider: str, answer: Any) -> None:
    """Raises `ProviderError` for an answer to a deletion that does not say that it is done."""
    if require(provider, answer).deleted is not True:
        raise ProviderError(f"{provider} has not deleted {answer.id}", provider=provider, hint="Try again later.")


def with_id(item: Any) -> Any:
    """An item of a listing, if it is an object with an id. Raises `ValueError` for anything else."""
    if not getattr(item, "id", None):
        raise ValueError("it has no id")
    return item


def list_all(provider: str, read_page: Callable[..., Any]) -> Iterator[Any]:
    """Every item of one of the SDK's listings, of which `read_page` reads a page. Raises `ListingUnfinished`.

    The SDK's own paging takes an HTML page for an empty list, and never ends where the cursor is ignored.
    """

    def page_after(after: str) -> Any:
        # the SDK leaves a parameter out of the query only for its own marker, not for ""
        return retry_read(provider, lambda: require(provider, read_page(after=after or omit()), field="data"))

    return by_cursor(provider, page_after)


def retry_read(provider: str, read: Callable[[], T]) -> T:
    """What `read` returns, retried, with the SDK's errors translated."""
    return with_retries(translated_errors(provider)(read))


def unexpected_answer(provider: str) -> BadAnswer:
    """The error for an answer that is not one of the API's."""
    return BadAnswer(
        f"{provider} sent an answer that does not belong to its API",
        provider=provider,
        hint="Check the base URL, and whether a proxy answers in its place.",
    )


def omit() -> Any:
    """The SDK's marker for a parameter that is not sent."""
    from openai import omit

    return omit


def _message(problem: Any) -> str:
    """The vendor's message, in OpenAI's envelope or in FastAPI's `detail`."""
    detail = _detail(problem)
    if isinstance(detail, list):
        return "; ".join(f"{_path(finding)}: {finding.get('msg', '')}" for finding in detail)
    body = problem.body if isinstance(problem.body, dict) else {}
    return str(body.get("message") or detail or problem.response.reason_phrase)


def _location(problem: Any) -> str | None:
    """The field of the request that FastAPI's first finding is about."""
    detail = _detail(problem)
    return _path(detail[0]).removeprefix("body.") if isinstance(detail, list) else None


def _path(finding: dict[str, Any]) -> str:
    where = finding.get("loc")
    return ".".join(map(str, where)) if isinstance(where, list) else ""


def _detail(problem: Any) -> Any:
    """FastAPI's `detail`: a text, or a list of objects, one for each finding."""
    detail = problem.body.get("detail") if isinstance(problem.body, dict) else None
    if isinstance(detail, list) and not (detail and all(isinstance(finding, dict) for finding in detail)):
        return str(detail)
    return detail
