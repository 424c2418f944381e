"""Finding providers: the entry-point group `ftbridge.providers`, the same for ours and for others'."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from ftbridge.config import Config
from ftbridge.errors import ConfigError, MissingExtra, TargetError, UsageError
from ftbridge.foreign import number_of
from ftbridge.provider import Connection, Provider
from ftbridge.target import Target
from ftbridge.wording import did_you_mean, printable

if TYPE_CHECKING:
    from ftbridge.mock import Fault, MockVendor

GROUP = "ftbridge.providers"
MOCK_GROUP = "ftbridge.mocks"
SPEED = "FTBRIDGE_MOCK_SPEED"
SLOWEST, FASTEST = 0.01, 1_000_000
FAULTS = "FTBRIDGE_MOCK_FAULTS"


def provider_names() -> list[str]:
    """The names of all installed providers, sorted."""
    return sorted(registered(GROUP))


def load_provider(
    target: Target,
    home: Path,
    *,
    config: Config | None = None,
    warn: Callable[[str], None] = lambda _warning: None,
    resources: ExitStack | None = None,
) -> Provider:
    """The provider of `target`, with its settings from `config` and the environment.

    A mock is served from this process until `resources` is closed; it takes no settings from `config`, which are for
    the vendor itself.

    Raises `TargetError` for an unknown name, with the names that are known, `MissingExtra`, with the command that
    installs it, where the provider's own packages are missing, and `ConfigError` for settings that cannot be used.
    """
    providers = registered(GROUP)
    if target.provider not in providers:
        raise TargetError(
            f"no provider is called {target.provider!r}",
            hint=f"{did_you_mean(target.provider, providers)}Installed: {', '.join(sorted(providers))}.",
        )
    kind: type[Provider] = load_entry(providers[target.provider], f"provider {target.provider}", extra=target.provider)
    if target.mocked:
        return _mocked(kind, target.provider, home, resources)
    table = config.providers.get(target.provider, {}) if config else {}
    where = f"{config.file or 'the config'}: [providers.{target.provider}]" if config else ""
    provider = kind(home, settings=kind.settings_class.read(table, where=where))
    if provider.settings.is_from_file("base_url") and not provider.connects_to_vendor:
        warn(
            f"{provider.settings.source('base_url')} sends your key for {target.provider}, and your data, to"
            f" {table['base_url']}, which is not the vendor's own address"
        )
    return provider


def mock_names() -> list[str]:
    """The vendors that have a mock, sorted."""
    return sorted(registered(MOCK_GROUP))


def load_mock(vendor: str) -> type[MockVendor]:
    """The mock of a vendor. Raises `TargetError` where there is none, `MissingExtra` without the extra `mock`."""
    mocks = registered(MOCK_GROUP)
    if vendor not in mocks:
        raise TargetError(f"{vendor} has no mock", hint=f"Vendors with a mock: {', '.join(sorted(mocks)) or 'none'}.")
    mock: type[MockVendor] = load_entry(mocks[vendor], f"the mock of {vendor}", extra="mock")
    return mock


def read_faults(rules: Sequence[str]) -> list[Fault]:
    """Faults for all mocked vendors. Raises `UsageError` for a rule that matches no operation of any of them."""
    if not rules:
        return []
    from ftbridge.mock import parse_fault

    operations = {operation for name in mock_names() for operation in load_mock(name).operations()}
    return [parse_fault(rule, operations) for rule in rules]


def _mocked(kind: type[Provider], vendor: str, home: Path, resources: ExitStack | None) -> Provider:
    """A provider that is connected to the vendor's mock, whose state is in the home."""
    mock_class = load_mock(vendor)
    from ftbridge.loopback import LoopbackServer

    mock = mock_class(home / "mock" / vendor, speed=_speed(), faults=_faults())
    server = LoopbackServer(mock.app()).start()
    if resources:
        resources.callback(server.stop)
    environment = mock.environment(server.url)
    connection = Connection(
        base_url=server.url + mock.base_path, api_key=SecretStr("mock-key"), account=f"mock+{vendor}"
    )
    provider = kind(home, connection, environment=environment)
    provider.poll_seconds, provider.slowest_poll_seconds = 0.2, 1.0  # a mock is fast, and polled by nobody else
    return provider


def registered(group: str) -> Mapping[str, EntryPoint]:
    """The entry points of a group by their names."""
    return _registered(group, tuple(sys.path))


def load_entry(entry: EntryPoint, what: str, *, extra: str) -> Any:
    """The object of an entry point. Raises `MissingExtra`, whose hint installs `extra`, for a missing package."""
    try:
        return entry.load()
    except ImportError as problem:
        package = entry.dist.name if entry.dist else "ftbridge"
        raise MissingExtra(
            f"{what} needs a package that is not installed: {problem.name or problem}",
            hint=f"Install it with: pip install '{package}[{extra}]'",
        ) from problem


def _faults() -> list[Fault]:
    """The faults of mocks that this process serves."""
    try:
        return read_faults(os.environ.get(FAULTS, "").split())
    except UsageError as problem:
        raise ConfigError(f"{FAULTS}: {problem.message}", hint=problem.hint) from None


def _speed() -> float:
    """How many times faster than the vendors mocks are."""
    text = os.environ.get(SPEED) or "60"
    speed = number_of(text) or 0.0
    if not SLOWEST <= speed <= FASTEST:
        raise ConfigError(
            f"{SPEED} = {printable(repr(text))} is not a speed",
            hint=f"Set it to a number from {SLOWEST:g} to {FASTEST:,}, or unset it.",
        )
    return speed


@cache  # listing entry points reads all that is installed on `path`, which may grow
def _registered(group: str, path: tuple[str, ...]) -> Mapping[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=group)}
