"""Finding providers: the entry-point group `ftbridge.providers`, the same for ours and for others'."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from ftbridge.errors import ConfigError, MissingExtra, TargetError
from ftbridge.provider import Provider
from ftbridge.provider.connection import Endpoint
from ftbridge.target import Target
from ftbridge.wording import did_you_mean

if TYPE_CHECKING:
    from ftbridge.mock import Fault, MockVendor

GROUP = "ftbridge.providers"
MOCK_GROUP = "ftbridge.mocks"
SPEED = "FTBRIDGE_MOCK_SPEED"
FAULTS = "FTBRIDGE_MOCK_FAULTS"


def provider_names() -> list[str]:
    """The names of all installed providers, sorted."""
    return sorted(registered(GROUP))


def load_provider(target: Target, home: Path, servers: ExitStack | None = None) -> Provider:
    """The provider of `target`; its mock, if that is asked for, is served from this process until `servers` is closed.

    Raises `TargetError` for a name that nobody registered, naming those that are, and
    `MissingExtra`, with the command that installs it, where the provider's own packages are absent.
    """
    found = registered(GROUP)
    if target.provider not in found:
        raise TargetError(
            f"no provider is called {target.provider!r}",
            hint=f"{did_you_mean(target.provider, found)}Installed: {', '.join(sorted(found))}.",
        )
    made: type[Provider] = load_entry(found[target.provider], f"provider {target.provider}", extra=target.provider)
    if not target.mocked:
        return made(home)
    mocked = made(home, start_mock(target.provider, home, servers))
    mocked.poll_seconds, mocked.slowest_poll_seconds = 0.2, 1.0  # a mock is fast, and nobody else's
    return mocked


def mock_names() -> list[str]:
    """The vendors that have a mock, sorted."""
    return sorted(registered(MOCK_GROUP))


def load_mock(vendor: str) -> type[MockVendor]:
    """The mock of a vendor. Raises `TargetError` where there is none, `MissingExtra` without the extra `mock`."""
    found = registered(MOCK_GROUP)
    if vendor not in found:
        raise TargetError(f"{vendor} has no mock", hint=f"Mocked are: {', '.join(sorted(found)) or 'none'}.")
    mock: type[MockVendor] = load_entry(found[vendor], f"the mock of {vendor}", extra="mock")
    return mock


def read_faults(rules: Sequence[str]) -> list[Fault]:
    """Faults for all mocked vendors. Raises `UsageError` for a rule that would strike at none of them."""
    if not rules:
        return []
    from ftbridge.mock import parse_fault

    operations = {operation for name in mock_names() for operation in load_mock(name).operations()}
    return [parse_fault(rule, operations) for rule in rules]


def start_mock(vendor: str, home: Path, servers: ExitStack | None = None) -> Endpoint:
    """Serve the vendor's mock from this process, with its state in the home; where it listens.

    It ends when `servers` is closed, and without that with the process.
    """
    kind = load_mock(vendor)
    from ftbridge.loopback import LoopbackServer

    faults = read_faults(os.environ.get(FAULTS, "").split())
    mock = kind(home / "mock" / vendor, speed=_number(SPEED, 60.0), faults=faults)
    server = LoopbackServer(mock.app()).start()
    if servers is not None:
        servers.callback(server.stop)
    return Endpoint(
        base_url=server.url + mock.base_path,
        api_key=SecretStr("mock-key"),
        account=f"mock+{vendor}",
        environment=mock.environment(server.url),
    )


def registered(group: str) -> Mapping[str, EntryPoint]:
    """The entry points of a group by their names."""
    return _registered(group, tuple(sys.path))


def load_entry(entry: EntryPoint, what: str, *, extra: str) -> Any:
    """What an entry point names. Raises `MissingExtra`, with the command that installs `extra`, for absent packages."""
    try:
        return entry.load()
    except ImportError as problem:
        package = entry.dist.name if entry.dist else "ftbridge"
        raise MissingExtra(
            f"{what} needs a package that is not installed: {problem.name or problem}",
            hint=f"Install it with: pip install '{package}[{extra}]'",
        ) from problem


def _number(name: str, default: float) -> float:
    text = os.environ.get(name) or str(default)
    try:
        return float(text)
    except ValueError:
        raise ConfigError(f"{name} = {text!r} is no number", hint="Set it to one, or unset it.") from None


@cache  # a look goes through all that is installed on `path`, which may grow
def _registered(group: str, path: tuple[str, ...]) -> Mapping[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=group)}
