"""JSON over HTTP to a server of models: what goes wrong is an error of ftbridge's own, in a sentence."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from ftbridge.config import is_safe_url
from ftbridge.errors import BadAnswer, ConfigError, NotFound, UsageError
from ftbridge.foreign.redaction import register, register_url
from ftbridge.foreign.values import json_of
from ftbridge.provider.answers import error_from, is_never_sent, network_error, timeout_error
from ftbridge.provider.connection import INSECURE, check_key
from ftbridge.provider.network import check_socks, client_options
from ftbridge.wording import json_kind, printable

API_KEY = "FTBRIDGE_VERIFY_API_KEY"
_SECONDS = 600.0  # a large model may have to be loaded first
_CONNECT_SECONDS = 10.0
_MOST_BYTES = 64 * 2**20  # of an answer; one of 100,000 tokens with their logprobs has about 10 MiB
_SHOWN = 200  # bytes of an error that is no JSON
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
            check_key(key, API_KEY)
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
            with self._client.stream("GET" if body is None else "POST", f"{self.url}{path}", json=body) as answer:
                return self._read(path, answer, self._whole(path, answer))
        except httpx.TimeoutException as problem:
            error = network_error(self.name, problem) if is_never_sent(problem) else timeout_error(self.name)
            raise type(error)(error.message, hint=self._hint) from None
        except (httpx.TransportError, httpx.DecodingError) as problem:
            raise type(error := network_error(self.name, problem))(error.message, hint=self._hint) from None

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

    def _whole(self, path: str, answer: httpx.Response) -> bytes:
        """The body, which comes to an end: by then, and of that size."""
        content, until = bytearray(), time.monotonic() + _SECONDS
        for chunk in answer.iter_bytes():
            content += chunk
            if len(content) > _MOST_BYTES:
                raise BadAnswer(
                    f"{self.name} answered {path} with more than {_MOST_BYTES // 2**20} MiB: the rest was not read",
                    provider=self.name,
                    hint=f"Check that {printable(self.url)} is the address of its API.",
                )
            if time.monotonic() > until:
                raise type(error := timeout_error(self.name))(error.message, hint=self._hint)
        return bytes(content)

    def _read(self, path: str, answer: httpx.Response, whole: bytes) -> dict[str, Any]:
        try:
            content = json_of(json.loads(whole))
        except (ValueError, RecursionError):
            content = None
        text = whole[:_SHOWN].decode("utf-8", "replace")
        if answer.status_code in _ABSENT:
            raise NotFound(
                f"{self.name} has no {path} at {printable(self.url)}: {_message(content) or answer.status_code}",
                provider=self.name,
                status=answer.status_code,
                hint="Check the URL and the name of the model.",
            )
        if not answer.is_success:
            raise error_from(self.name, answer.status_code, _message(content) or text, headers=answer.headers)
        if not isinstance(content, dict):
            is_html = "html" in answer.headers.get("content-type", "") or text.lstrip()[:1] == "<"
            other = "HTML" if is_html else "text" if whole else "nothing"
            raise BadAnswer(
                f"{self.name} answered {path} with {json_kind(content) if content is not None else other} instead of"
                " a JSON object",
                provider=self.name,
                hint=f"Check that {printable(self.url)} is the address of its API, and not of a web page.",
            )
        return content


def object_in(answer: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The object of that name; an empty one where there is none, or something else."""
    found = answer.get(name)
    return found if isinstance(found, dict) else {}


def list_in(answer: Mapping[str, Any], name: str) -> list[Any]:
    """The list of that name; an empty one where there is none, or something else."""
    found = answer.get(name)
    return found if isinstance(found, list) else []


def incomplete(name: str, what: str) -> BadAnswer:
    """The error for an answer that lacks something."""
    return BadAnswer(f"{name} answered without {what}", provider=name, hint="Try again; its log may say why.")


def _checked(url: str) -> str:
    text = url.strip().rstrip("/")
    text = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        httpx.URL(text)
    except (ValueError, httpx.InvalidURL):
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
