"""JSON over HTTP to a server of models: what goes wrong is an error of ftbridge's own, in a sentence."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

import httpx

from ftbridge.config import is_safe_url
from ftbridge.errors import BadAnswer, ConfigError, NotFound, UsageError
from ftbridge.foreign.redaction import register, register_url
from ftbridge.provider.answers import error_from, is_never_sent, network_error, timeout_error
from ftbridge.provider.connection import INSECURE
from ftbridge.provider.network import check_socks, client_options
from ftbridge.wording import json_kind, printable

API_KEY = "FTBRIDGE_VERIFY_API_KEY"
_SECONDS = 600.0  # a large model may have to be loaded first
_CONNECT_SECONDS = 10.0
_ABSENT = (404, 405, 501)


class JsonApi:
    """A server below `url`, which errors call `name`; `hint` is what to do where nobody answers.

    The key in $FTBRIDGE_VERIFY_API_KEY is sent if there is one.
    """

    def __init__(self, name: str, url: str, hint: str) -> None:
        self.name = name
        self._hint = hint
        self.url = _checked(url)
        headers = {}
        if key := os.environ.get(API_KEY, "").strip():
            if not is_safe_url(self.url) and os.environ.get(INSECURE) != "1":
                raise ConfigError(
                    f"{API_KEY} would be sent unencrypted to {printable(self.url)}",
                    hint=f"Give an https URL, unset {API_KEY}, or pass --insecure-base-url.",
                )
            register(key)
            headers["Authorization"] = f"Bearer {key}"
        check_socks(self.url)
        self._client = httpx.Client(
            headers=headers,
            timeout=httpx.Timeout(_SECONDS, connect=_CONNECT_SECONDS),
            follow_redirects=False,
            **client_options(self.url),
        )

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The object that it answers with. Raises `NotFound` and other `ProviderError`s, and `NetworkError`."""
        try:
            answer = self._client.request("GET" if body is None else "POST", f"{self.url}{path}", json=body)
        except httpx.TimeoutException as problem:
            error = network_error(self.name, problem) if is_never_sent(problem) else timeout_error(self.name)
            raise type(error)(error.message, hint=self._hint) from None
        except (httpx.TransportError, httpx.DecodingError) as problem:
            raise type(error := network_error(self.name, problem))(error.message, hint=self._hint) from None
        return self._read(path, answer)

    def ask_if_there(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any] | None:
        """The same; None where it has no such path, or answers it with something else."""
        try:
            return self.ask(path, body)
        except BadAnswer:
            return None
        except Exception as problem:
            status = getattr(problem, "status", None)
            if status is None:
                raise
            return None

    def _read(self, path: str, answer: httpx.Response) -> dict[str, Any]:
        try:
            content = answer.json()
        except (ValueError, RecursionError):
            content = None
        if answer.status_code in _ABSENT:
            raise NotFound(
                f"{self.name} has no {path} at {printable(self.url)}: {_message(content) or answer.status_code}",
                provider=self.name,
                status=answer.status_code,
                hint="Check the URL and the name of the model.",
            )
        if not answer.is_success:
            message = _message(content) or answer.text[:200]
            raise error_from(self.name, answer.status_code, message, headers=answer.headers)
        if not isinstance(content, dict):
            what = json_kind(content) if content is not None else _kind(answer)
            raise BadAnswer(
                f"{self.name} answered {path} with {what} instead of a JSON object",
                provider=self.name,
                hint=f"Check that {printable(self.url)} is the address of its API, and not of a web page.",
            )
        return content


def incomplete(name: str, what: str) -> BadAnswer:
    """The error for an answer that lacks something."""
    return BadAnswer(f"{name} answered without {what}", provider=name, hint="Try again; its log may say why.")


def _checked(url: str) -> str:
    text = url.strip().rstrip("/")
    text = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise UsageError(f"{printable(url)} is not the URL of a server", hint="Give one such as http://127.0.0.1:8000.")
    register_url(text)
    return text


def _message(content: Any) -> str:
    """What an error says, in the shapes of OpenAI, FastAPI and Ollama."""
    if not isinstance(content, dict):
        return ""
    error = content.get("error", content.get("detail", content.get("message", "")))
    return str(error.get("message", error) if isinstance(error, dict) else error)


def _kind(answer: httpx.Response) -> str:
    if not answer.content:
        return "nothing"
    return "HTML" if "html" in answer.headers.get("content-type", "") or answer.text.lstrip()[:1] == "<" else "text"
