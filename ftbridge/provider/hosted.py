"""What all hosted vendors have in common: a connection, and answers to parse."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, ClassVar

import msgspec
from pydantic import ValidationError

from ftbridge.dataset.canonical.example import Chat
from ftbridge.model import Event, Hyperparameters
from ftbridge.provider import Provider, Reply, Usage
from ftbridge.provider.connection import Connection, hosted_connection

_SUFFIX = re.compile(r"(?:(?P<name>.+)-)?(?P<tag>ftb_[a-z0-9]+)")


class VendorClock:
    """The vendor's own time, by the `Date` of its newest answer (RFC 9110, 6.6.1)."""

    def __init__(self) -> None:
        self._heard: tuple[datetime, float] | None = None

    def observe(self, response: Any) -> None:
        """Take in an answer, as httpx and httpx2 give it."""
        try:
            self._heard = parsedate_to_datetime(response.headers["date"]), time.monotonic()
        except (KeyError, ValueError, TypeError):
            return

    def now(self) -> datetime | None:
        """The time at the vendor; `None` where it has told none."""
        if self._heard is None:
            return None
        told, at = self._heard
        return told + timedelta(seconds=time.monotonic() - at)


class HostedProvider(Provider):
    """Base of providers behind an HTTP API. `key_env` and `url_env` name its environment variables."""

    default_url: ClassVar[str]
    key_env: ClassVar[str]
    url_env: ClassVar[str]
    timeout: ClassVar[float] = 120.0
    """Seconds without a sign from the vendor after which a request is given up."""
    listing_lag_seconds: ClassVar[float] = 60.0
    in_flight_seconds: ClassVar[float] = 120.0

    @cached_property
    def clock(self) -> VendorClock:
        """Hears every answer of the vendor's."""
        return VendorClock()

    def vendor_time(self) -> datetime | None:
        """By the vendor's newest answer."""
        return self.clock.now()

    @cached_property
    def connection(self) -> Connection:
        """Where the vendor is; raises `ConfigError` where the environment does not say enough."""
        return self._given or hosted_connection(self.name, self.default_url, key_env=self.key_env, url_env=self.url_env)

    @property
    def environment(self) -> Mapping[str, str]:
        """Where the vendor's settings are read from: the process's environment, or what came with the connection."""
        return self._given.environment if self._given else os.environ

    @property
    def connects_to_vendor(self) -> bool:
        """Whether jobs go to the vendor itself; told without a key."""
        url = self._given.base_url if self._given else os.environ.get(self.url_env) or self.default_url
        return url.rstrip("/") == self.default_url

    @property
    def account(self) -> str:
        """One word for the key and the place."""
        return f"{self.name}/{self.connection.account}"


def make_suffix(name: str | None, tag: str, limit: int) -> str:
    """What the tuned model's name will carry: the user's name, as far as `limit` characters let it, and the tag."""
    plain = re.sub(r"[^A-Za-z0-9-]+", "-", name or "").strip("-")[: limit - len(tag) - 1].rstrip("-")
    return f"{plain}-{tag}" if plain else tag


def read_suffix(suffix: str | None) -> tuple[str | None, str | None]:
    """The user's name and ftbridge's tag in a job's suffix; one that carries no tag is all name."""
    if match := _SUFFIX.fullmatch(suffix or ""):
        return match["name"], match["tag"]
    return suffix or None, None


def chat_request(model: str, chat: Chat, options: Mapping[str, Any]) -> dict[str, Any]:
    """A chat completion's request, in the words that the vendors' SDKs share."""
    request: dict[str, Any] = {"model": model, "messages": msgspec.to_builtins(chat.messages), **options}
    return {**request, "tools": msgspec.to_builtins(chat.tools)} if chat.tools else request


def read_reply(answer: Any) -> Reply:
    """A chat completion, as the vendors' SDKs give it: the text of its first choice."""
    content, usage = answer.choices[0].message.content or "", answer.usage
    return Reply(
        text=content if isinstance(content, str) else "".join(getattr(part, "text", "") for part in content),
        model=answer.model,
        usage=Usage(prompt_tokens=usage.prompt_tokens or 0, completion_tokens=usage.completion_tokens or 0)
        if usage
        else None,
    )


def merge_events(events: Sequence[Event], metrics: Sequence[Event], since: str) -> list[Event]:
    """Two lists, each by time, as one by time, after the event whose cursor is `since`.

    For vendors that tell metrics apart from the other events, and give them no ids. Both lists only grow at
    their ends, so a cursor is how much of each has been read, and a metric that comes late is still read once.
    """
    event, metric = (int(place) for place in since.split(".")) if since else (0, 0)
    found: list[Event] = []
    while event < len(events) or metric < len(metrics):
        if metric == len(metrics) or (event < len(events) and events[event].at <= metrics[metric].at):
            following, event = events[event], event + 1
        else:
            following, metric = metrics[metric], metric + 1
        found.append(following.model_copy(update={"cursor": f"{event}.{metric}"}))
    return found


def read_hyperparameters(told: Mapping[str, Any], words: Mapping[str, str]) -> Hyperparameters:
    """What a vendor tells under its own names, by `words` from ours to its; what our bounds refuse is left out."""
    known: dict[str, Any] = {}
    for name in Hyperparameters.model_fields:
        value = told.get(words.get(name, name))
        try:
            known |= Hyperparameters.model_validate({name: value}).given()
        except ValidationError:
            continue
    return Hyperparameters(**known)
