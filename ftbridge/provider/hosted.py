"""What the providers behind an HTTP API share: a connection, the vendor's clock, and answers to parse."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, ClassVar

from pydantic import ValidationError

from ftbridge.foreign.values import text_of
from ftbridge.model import Event, Hyperparameters
from ftbridge.provider import Provider
from ftbridge.provider.connection import Connection, open_connection
from ftbridge.provider.network import check_network_variables, check_socks
from ftbridge.provider.settings import HostedSettings

_SUFFIX = re.compile(r"(?:(?P<name>.+)-)?(?P<tag>ftb_[a-z0-9]+)")


class VendorClock:
    """The vendor's own time, by the `Date` header of its newest answer (RFC 9110, 6.6.1)."""

    def __init__(self) -> None:
        self._newest: tuple[datetime, float] | None = None

    def observe(self, response: Any) -> None:
        """Read an answer's header; a hook for httpx and httpx2."""
        try:
            self._newest = parsedate_to_datetime(response.headers["date"]), time.monotonic()
        except (KeyError, ValueError, TypeError):
            return

    def now(self) -> datetime | None:
        """The time at the vendor; `None` where no answer had it."""
        if self._newest is None:
            return None
        date, at = self._newest
        return date + timedelta(seconds=time.monotonic() - at)


class HostedProvider(Provider):
    """Base of providers behind an HTTP API; its settings have the vendor's own address as default."""

    settings_class: ClassVar[type[HostedSettings]]
    settings: HostedSettings
    timeout: ClassVar[float] = 120.0
    """Seconds without a byte from the vendor after which a request is given up."""
    chats_at_once: ClassVar[int] = 8
    listing_lag_seconds: ClassVar[float] = 60.0
    in_flight_seconds: ClassVar[float] = 120.0

    @cached_property
    def clock(self) -> VendorClock:
        """Observes every answer of the vendor's."""
        return VendorClock()

    def vendor_time(self) -> datetime | None:
        """By the vendor's newest answer."""
        return self.clock.now()

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables that this provider reads."""
        return self._environment()

    @cached_property
    def connection(self) -> Connection:
        """The vendor's address and the key. Raises `ConfigError` where one is missing, or no client can open."""
        check_network_variables()
        opened = self._connection or open_connection(self.name, self.settings, environment=self.environment)
        check_socks(opened.base_url)
        return opened

    @property
    def base_url(self) -> str:
        """The address of the API; known without a key."""
        return (self._connection.base_url if self._connection else self.settings.base_url).rstrip("/")

    @property
    def connects_to_vendor(self) -> bool:
        """Whether the address is the vendor's own."""
        return self.base_url == str(self.settings_class.model_fields["base_url"].default)

    @property
    def account(self) -> str:
        """The same for the same key and address."""
        return f"{self.name}/{self.connection.account}"


def make_suffix(name: str | None, tag: str, limit: int) -> str:
    """The suffix of the tuned model's name: the user's name, as far as `limit` characters allow, and the tag."""
    plain = re.sub(r"[^A-Za-z0-9-]+", "-", name or "").strip("-")[: limit - len(tag) - 1].rstrip("-")
    return f"{plain}-{tag}" if plain else tag


def read_suffix(suffix: Any) -> tuple[str | None, str | None]:
    """The user's name and ftbridge's tag in a job's suffix; a suffix without a tag is all name."""
    text = text_of(suffix) or ""
    if match := _SUFFIX.fullmatch(text):
        return match["name"], match["tag"]
    return text or None, None


def merge_events(events: Sequence[Event], metrics: Sequence[Event], since: str) -> list[Event]:
    """Two lists, each by time, as one by time, after the event whose cursor is `since`.

    For vendors that list metrics apart from the other events, and give them no ids. Both lists only grow at their
    ends, so a cursor is how much of each has been read, and a metric that comes late is still read once.
    """
    event, metric = map(int, since.split(".")) if since else (0, 0)
    merged: list[Event] = []
    while event < len(events) or metric < len(metrics):
        if metric == len(metrics) or (event < len(events) and events[event].at <= metrics[metric].at):
            following, event = events[event], event + 1
        else:
            following, metric = metrics[metric], metric + 1
        merged.append(following.model_copy(update={"cursor": f"{event}.{metric}"}))
    return merged


def read_hyperparameters(settings: Mapping[str, Any], names: Mapping[str, str]) -> Hyperparameters:
    """A vendor's settings of a job as hyperparameters; `names` are the vendor's where they differ.

    A value outside the bounds of `Hyperparameters` is left out.
    """
    known: dict[str, Any] = {}
    for name in Hyperparameters.model_fields:
        value = settings.get(names.get(name, name))
        try:
            known |= Hyperparameters.model_validate({name: value}).given()
        except ValidationError:
            continue
    return Hyperparameters(**known)
