"""OpenAI's SDK, opened with care: no retries of its own, no redirects, and its errors in ftbridge's tree."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from ftbridge.errors import AuthenticationFailed, BadAnswer, MissingExtra, NetworkError
from ftbridge.provider.answers import error_from, is_never_sent, network_error, timeout_error
from ftbridge.provider.connection import Connection
from ftbridge.provider.paging import by_cursor
from ftbridge.provider.retry import with_retries
from ftbridge.provider.settings import HostedSettings, setting

if TYPE_CHECKING:
    from openai import OpenAI


class OpenAISettings(HostedSettings):
    """`[providers.openai]` of ftbridge.toml."""

    secrets: ClassVar[Mapping[str, str]] = {"api_key": "OPENAI_API_KEY"}
    base_url: str = setting("https://api.openai.com/v1", env="OPENAI_BASE_URL", description="Where the API is.")


def open_client(
    connection: Connection,
    *,
    timeout: float,
    headers: dict[str, str] | None = None,
    on_response: Callable[[Any], None] | None = None,
) -> OpenAI:
    """A client for `connection`. Raises `MissingExtra` where the SDK is not installed.

    The SDK's own retries are off: it would send a create again after a 500, without an idempotency
    key, and so pay twice. Redirects are off: it would send the request's body to another host.
    `timeout` is in seconds, for each read and write. `on_response` gets every answer.
    """
    try:
        from openai import DefaultHttpx2Client, OpenAI
    except ImportError as problem:
        raise MissingExtra(
            "OpenAI's SDK is not installed", hint="Install it with: pip install 'ftbridge[openai]'"
        ) from problem
    return OpenAI(
        base_url=connection.base_url,
        api_key=connection.key(),
        max_retries=0,
        timeout=timeout,
        default_headers=headers,
        http_client=DefaultHttpx2Client(
            follow_redirects=False, event_hooks={"response": [on_response] if on_response else []}
        ),
    )


@contextmanager
def understood(provider: str) -> Iterator[None]:
    """Turn whatever the SDK raises in the block into ftbridge's errors."""
    import openai

    try:
        yield
    except openai.APIStatusError as problem:
        raise error_from(
            provider,
            problem.status_code,
            _words(problem),
            code=problem.code,
            kind=problem.type,
            param=problem.param or _place(problem),
            headers=problem.response.headers,
        ) from None
    except openai.APITimeoutError as problem:
        cause = problem.__cause__ or problem
        raise (network_error(provider, cause) if is_never_sent(cause) else timeout_error(provider)) from None
    except openai.APIConnectionError as problem:
        raise network_error(provider, problem.__cause__ or problem) from None
    except (openai.APIResponseValidationError, json.JSONDecodeError):
        raise not_understood(provider) from None
    except AttributeError as problem:  # where a listing is answered with a page of HTML, the SDK trips over it
        raise not_understood(provider) from problem


def sound(provider: str, answer: Any, *, needs: str = "id") -> Any:
    """`answer`, if it is the object that was asked for: the SDK passes on anything, an HTML page as a string."""
    if getattr(answer, needs, None) is None:
        raise not_understood(provider)
    return answer


def every(provider: str, ask: Callable[..., Any]) -> Iterator[Any]:
    """Every item of one of the SDK's listings, of which `ask` gives a page. Raises `ListingUnfinished`.

    The SDK's own paging takes a page that is none for one without items, and never ends where the cursor is ignored.
    """

    def page_after(after: str) -> Any:
        # an empty cursor is left out of the query by the SDK's own marker for that
        return with_retries(understood(provider)(lambda: sound(provider, ask(after=after or omit()), needs="data")))

    return by_cursor(provider, page_after)


def create_completion(client: OpenAI, model: str, body: Mapping[str, Any], **more: Any) -> Any:
    """A chat completion. The options are sent as they are: the SDK would raise a TypeError for an unknown one."""
    options = {name: value for name, value in body.items() if name not in ("messages", "stream")}
    create: Any = client.chat.completions.create
    return create(model=model, messages=body["messages"], extra_body=options, **more)


def streamed(provider: str, chunks: Any) -> Iterator[dict[str, Any]]:
    """The chunks of one of the SDK's streams. Raises `NetworkError` where it breaks off before its end."""
    import httpx2

    started = finished = False
    with understood(provider), chunks:
        try:
            for chunk in chunks:
                started = True
                finished = finished or any(choice.finish_reason for choice in chunk.choices)
                yield chunk.to_dict(mode="json")
        except httpx2.HTTPError as problem:
            raise network_error(provider, problem) from None
    if not started:
        raise not_understood(provider)
    if not finished:
        raise NetworkError(f"{provider}'s answer broke off", hint="Ask again.")


def not_understood(provider: str) -> BadAnswer:
    """The error for an answer that makes no sense."""
    return BadAnswer(
        f"{provider} answered something that is not its API's",
        provider=provider,
        hint="A proxy may stand between, or the base URL may be wrong.",
    )


def check_signature(provider: str, client: OpenAI, headers: Mapping[str, str], body: bytes) -> None:
    """Raises `AuthenticationFailed` for a webhook that `provider` has not signed."""
    from openai import InvalidWebhookSignatureError

    try:
        client.webhooks.verify_signature(body, headers)
    except (InvalidWebhookSignatureError, ValueError) as problem:
        raise AuthenticationFailed(
            f"the webhook is not {provider}'s: {problem}",
            provider=provider,
            hint="Set OPENAI_WEBHOOK_SECRET to the secret that was shown when the webhook was made.",
        ) from None


def omit() -> Any:
    """The SDK's word for a parameter that is not sent."""
    from openai import omit

    return omit


def _words(problem: Any) -> str:
    """The vendor's own sentence, in OpenAI's envelope or in FastAPI's `detail`."""
    detail = _detail(problem)
    if isinstance(detail, list):
        return "; ".join(f"{_path(one)}: {one.get('msg', '')}" for one in detail)
    body = problem.body if isinstance(problem.body, dict) else {}
    return str(body.get("message") or detail or problem.response.reason_phrase)


def _place(problem: Any) -> str | None:
    """Where in the request FastAPI found the first thing that is wrong."""
    detail = _detail(problem)
    return _path(detail[0]).removeprefix("body.") if isinstance(detail, list) else None


def _path(wrong: dict[str, Any]) -> str:
    return ".".join(map(str, wrong.get("loc", [])))


def _detail(problem: Any) -> Any:
    """FastAPI's `detail`: a sentence, or a list of objects, one for each thing that is wrong."""
    detail = problem.body.get("detail") if isinstance(problem.body, dict) else None
    if isinstance(detail, list) and not (detail and all(isinstance(one, dict) for one in detail)):
        return str(detail)
    return detail
