"""From a vendor's HTTP answer to the error that it means: by status and code, never by prose."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from ftbridge.errors import (
    AccessDenied,
    AuthenticationFailed,
    BadAnswer,
    Conflict,
    ConnectionRefused,
    InvalidRequest,
    NetworkError,
    NotFound,
    NotReached,
    ProviderError,
    ProviderRetired,
    QuotaExceeded,
    RateLimited,
    ServerTrouble,
    TrainingNotAvailable,
)
from ftbridge.foreign.redaction import redact
from ftbridge.foreign.values import clean, text_of

_KINDS: dict[int, tuple[type[ProviderError], str]] = {
    400: (InvalidRequest, "Correct what it names."),
    401: (AuthenticationFailed, "Set the provider's API key to one that is valid."),
    402: (QuotaExceeded, "Add credit at the provider; trying again before that does not help."),
    403: (AccessDenied, "Use a key, or an organisation, that may do this."),
    404: (NotFound, "Check that the id is right and belongs to this account."),
    409: (Conflict, "Something with that name or content exists already."),
    410: (ProviderRetired, "The provider has closed this; choose another target."),
    413: (InvalidRequest, "The file is larger than the provider takes; split it."),
    422: (InvalidRequest, "Correct what it names."),
    429: (RateLimited, "Wait, then try again."),
    501: (ProviderRetired, "The provider has closed this; choose another target."),
}
_NEVER_SENT = ("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol")
"""The exceptions of httpx and httpx2 that are raised before a request is sent (httpx 0.28, exceptions)."""
_MONEY = ("insufficient_quota", "credit_balance_exhausted", "billing_hard_limit_reached")
"""Codes of a 429 that waiting does not end (OpenAI, error codes guide, 2026)."""

_NO_NEW_JOBS = ("training_not_available",)
"""Codes of a 403 by which a vendor that is winding down turns an organisation away (OpenAI, deprecations, 2026-05)."""


MOST_RETRY_SECONDS = 86_400.0
"""A vendor that asks for a longer wait is asked again after a day."""
_LONGEST_MESSAGE = 2000  # characters: a page of HTML says nothing in its rest


def error_from(
    provider: str,
    status: int,
    message: Any,
    *,
    code: Any = None,
    kind: Any = None,
    param: Any = None,
    headers: Mapping[str, str] | None = None,
) -> ProviderError:
    """The error for an answer with `status` and the vendor's message; `kind` is its `type`, where it has one."""
    headers = headers or {}
    known: dict[str, Any] = {
        "provider": provider,
        "status": status,
        "code": text_of(code),
        "param": text_of(param),
        "request_id": text_of(headers.get("x-request-id")),
    }
    said = redact(str(message)[: 2 * _LONGEST_MESSAGE])  # before it is cut, perhaps in the middle of a key
    said = " ".join(clean(said[:_LONGEST_MESSAGE]).split())
    sentence = f"{provider} answered {status}: {said or 'without a message'}"
    if status == 429 and (code in _MONEY or kind in _MONEY):
        return QuotaExceeded(sentence, hint=_KINDS[402][1], **known)
    if status == 403 and code in _NO_NEW_JOBS:
        hint = "Send the dataset elsewhere, as --to local:…; `ftbridge providers` lists what there is."
        return TrainingNotAvailable(sentence, hint=hint, **known)
    if status == 429:
        return RateLimited(sentence, retry_after=retry_after(headers), hint=_KINDS[429][1], **known)
    if status >= 500 and status != 501:
        hint = "The fault is the provider's; try again later."
        return ServerTrouble(sentence, retry_after=retry_after(headers), hint=hint, **known)
    if 300 <= status < 400:
        return BadAnswer(sentence, hint="Redirects are not followed: set the base URL to where the API is.", **known)
    made, hint = _KINDS.get(status, (InvalidRequest, "Correct what it names."))
    return made(sentence, hint=hint, **known)


def network_error(provider: str, cause: BaseException) -> NetworkError:
    """The error for a failed connection, by the HTTP client's exception: it matters whether anything was sent."""
    if is_never_sent(cause):
        kind = ConnectionRefused if _is_refused(cause) else NotReached
        return kind(
            f"{provider} could not be reached{_address(cause)}: {cause}",
            hint="Check the network and the base URL.",
        )
    return NetworkError(f"the connection to {provider}{_address(cause)} broke: {cause}", hint="Check the network.")


def _address(cause: BaseException) -> str:
    """Where the request was to go, without user names, passwords and parameters; empty where that is not known."""
    try:
        parts = urlsplit(str(cause.request.url))  # type: ignore[attr-defined]  # httpx's errors have it once it is set
    except (AttributeError, RuntimeError, ValueError):
        return ""
    return f" at {parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _is_refused(cause: BaseException | None) -> bool:
    """Whether the operating system says that nobody listens there, by the chain of causes."""
    while cause is not None:
        if isinstance(cause, ConnectionRefusedError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def is_never_sent(cause: BaseException) -> bool:
    """Whether an HTTP client raised this before it sent anything."""
    return type(cause).__name__ in _NEVER_SENT


def timeout_error(provider: str) -> NetworkError:
    """The error for a request that was sent and not answered in time."""
    return NetworkError(f"{provider} did not answer in time", hint="Try again later.")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds in a Retry-After header, which is a number or a date (RFC 9110, 10.2.3); at most a day."""
    text = headers.get("retry-after", "")
    try:
        seconds = float(text)
    except ValueError:
        try:
            date = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return None
        seconds = ((date if date.tzinfo else date.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds()
    return None if math.isnan(seconds) else min(max(0.0, seconds), MOST_RETRY_SECONDS)
