"""Finding what is plugged in: providers, mocks and metrics, by the same entry-point groups for ours and others'."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from ftbridge.catalogue import Row
from ftbridge.config import Config
from ftbridge.errors import BrokenPlugin, ConfigError, FtbridgeError, MissingExtra, TargetError, UsageError
from ftbridge.foreign.values import number_of
from ftbridge.provider import Capabilities, Connection, Provider
from ftbridge.provider.settings import Settings
from ftbridge.target import Target
from ftbridge.wording import did_you_mean, printable

if TYPE_CHECKING:
    from ftbridge.graders import Metric
    from ftbridge.mock import Fault, MockVendor

_logger = logging.getLogger(__name__)
GROUP = "ftbridge.providers"
MOCK_GROUP = "ftbridge.mocks"
METRIC_GROUP = "ftbridge.metrics"
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
    installs it, where the provider's own packages are missing, `BrokenPlugin` where it raises anything else, and
    `ConfigError` for settings that cannot be used.
    """
    providers = registered(GROUP)
    if target.provider not in providers:
        raise TargetError(
            f"no provider is called {target.provider!r}",
            hint=f"{did_you_mean(target.provider, providers)}Installed: {', '.join(sorted(providers))}.",
        )
    what, entry = f"provider {target.provider}", providers[target.provider]
    kind: type[Provider] = load_entry(entry, what, extra=target.provider)
    with plugin_errors(what, entry, extra=target.provider):
        _check_provider(kind)
        if target.mocked:
            return _mocked(kind, target.provider, home, resources)
        return _opened(kind, target.provider, home, config, warn)


def provider_rows(name: str, home: Path, config: Config | None = None) -> tuple[Row, ...]:
    """The catalogue of the provider of that name, for the runners of `config` too.

    Raises as `load_provider` does, and for an invalid catalogue.
    """
    runners = (config or Config()).model_copy(update={"providers": {}})
    provider = load_provider(Target(name, ""), home, config=runners)
    with plugin_errors(f"the catalogue of {name}", registered(GROUP)[name], extra=name):
        return tuple(provider.catalogue())


def _check_provider(kind: Any) -> None:
    if not isinstance(kind, type) or not issubclass(kind, Provider):
        raise TypeError(f"{kind!r} is no subclass of ftbridge.provider.Provider")
    if not isinstance(getattr(kind, "capabilities", None), Capabilities):
        raise TypeError(f"{kind.__name__} has no capabilities")


def _opened(
    kind: type[Provider], name: str, home: Path, config: Config | None, warn: Callable[[str], None]
) -> Provider:
    table = config.providers.get(name, {}) if config else {}
    where = f"{config.origin('providers', name) or 'the config'}: [providers.{name}]" if config else ""
    files = {key: file for key in table if config and (file := config.origin(f"providers.{name}", key))}
    folders = {key: file.resolve().parent for key, file in files.items()}
    settings = kind.settings_class.read(table, where=where, folders=folders)
    if kind.runner_class is None:
        provider = kind(home, settings=settings)
    else:  # its constructor takes the runners
        named: dict[str, Any] = {"settings": settings, "runners": _runners(kind.runner_class, name, config or Config())}
        provider = kind(home, **named)
    if provider.settings.is_from_file("base_url") and not provider.connects_to_vendor:
        warn(
            f"{provider.settings.source('base_url')} sends your key for {name}, and your data, to"
            f" {table['base_url']}, which is not the vendor's own address"
        )
    return provider


def _runners(table_class: type[Settings], kind: str, config: Config) -> dict[str, Settings]:
    """The tables of `[runners.NAME]` that are of that kind, by name. Raises `ConfigError` for one that is not valid."""
    read = {}
    for name, table in config.runners.items():
        if table.get("kind") == kind:
            file = config.origin("runners", name)
            folders = dict.fromkeys(table, file.resolve().parent) if file else {}
            where = f"{file or 'the config'}: [runners.{name}]"
            read[name] = table_class.read(table, {}, where=where, folders=folders)
    return read


def declared_secrets() -> frozenset[str]:
    """The environment variables in which the installed providers expect their keys; one that cannot load has none."""
    names: set[str] = set()
    for name, entry in registered(GROUP).items():
        try:
            kind: type[Provider] = load_entry(entry, f"provider {name}", extra=name)
            names.update(kind.settings_class.secrets.values())
        except Exception as problem:  # a plugin may raise anything when it is imported
            _logger.debug("the provider %s cannot be loaded: %s", name, problem)
    return frozenset(names)


def mock_names() -> list[str]:
    """The vendors that have a mock, sorted."""
    return sorted(registered(MOCK_GROUP))


def usable_mocks(warn: Callable[[str], None]) -> dict[str, type[MockVendor]]:
    """All mocks by vendor; a broken one is warned of and left out. Raises `MissingExtra` without the extra `mock`."""
    mocks = {}
    for name in mock_names():
        try:
            mocks[name] = load_mock(name)
        except BrokenPlugin as problem:
            warn(f"{problem.message}; it is left out")
    return mocks


def load_mock(vendor: str) -> type[MockVendor]:
    """The mock of a vendor. Raises `TargetError` where there is none, `MissingExtra` without the extra `mock`."""
    mocks = registered(MOCK_GROUP)
    if vendor not in mocks:
        raise TargetError(f"{vendor} has no mock", hint=f"Vendors with a mock: {', '.join(sorted(mocks)) or 'none'}.")
    mock: type[MockVendor] = load_entry(mocks[vendor], f"the mock of {vendor}", extra="mock")
    with plugin_errors(f"the mock of {vendor}", mocks[vendor], extra="mock"):
        mock.operations()
    return mock


def metric_names() -> list[str]:
    """The names of the built-in metrics and of others', sorted."""
    from ftbridge.graders import BUILT_IN

    return sorted({*BUILT_IN, *registered(METRIC_GROUP)})


def load_metric(name: str, beside: Iterable[str] = ()) -> Metric:
    """The metric of that name; a built-in one wins over another's.

    Raises `UsageError` for an unknown name, with the names that are known and those that the caller takes `beside`
    them, `MissingExtra` where its packages are missing, and `BrokenPlugin` where it raises anything else, or is no
    `Metric`.
    """
    from ftbridge.graders import BUILT_IN, Metric

    if name in BUILT_IN:
        return BUILT_IN[name]()
    others = registered(METRIC_GROUP)
    if name not in others:
        known = sorted({*metric_names(), *beside})
        raise UsageError(f"no metric is called {name!r}", hint=f"{did_you_mean(name, known)}Known: {', '.join(known)}.")
    what, entry = f"the metric {name}", others[name]
    kind = load_entry(entry, what, extra=name)
    with plugin_errors(what, entry, extra=name):
        metric = kind()
        if not isinstance(metric, Metric):
            raise TypeError(f"{kind!r} is no subclass of ftbridge.graders.Metric")
        return metric


def usable_metrics(warn: Callable[[str], None]) -> dict[str, Metric]:
    """All metrics by name; one that cannot be used is warned of and left out."""
    metrics = {}
    for name in metric_names():
        try:
            metrics[name] = load_metric(name)
        except (BrokenPlugin, MissingExtra) as problem:
            warn(f"{problem.message}; it is left out")
    return metrics


def read_faults(rules: Sequence[str]) -> list[Fault]:
    """Faults for all mocked vendors. Raises `UsageError` for a rule that matches no operation of any of them."""
    if not rules:
        return []
    from ftbridge.mock import parse_fault

    mocks = usable_mocks(lambda _warning: None)  # who names the mock is told
    operations = {operation for mock in mocks.values() for operation in mock.operations()}
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
    """The object of an entry point, which errors call `what`.

    Raises `MissingExtra`, whose hint installs `extra`, for a missing package, and `BrokenPlugin` for anything else.
    """
    with plugin_errors(what, entry, extra=extra):
        return entry.load()


@contextmanager
def plugin_errors(what: str, entry: EntryPoint, *, extra: str) -> Iterator[None]:
    """A block of another's code: whatever it raises is an error of ftbridge's own that names the plugin."""
    package = entry.dist.name if entry.dist else "ftbridge"
    try:
        yield
    except FtbridgeError:
        raise
    except ImportError as problem:
        raise MissingExtra(
            f"{what} needs a package that is not installed: {problem.name or problem}",
            hint=f"Install it with: pip install '{package}[{extra}]'",
        ) from problem
    except KeyboardInterrupt:  # Ctrl-C while it is loaded
        raise
    except BaseException as problem:  # others' panics are no `Exception`
        raise BrokenPlugin(
            f"{what} cannot be used: {type(problem).__name__}: {problem}",
            hint=f"It is from the package {package}: upgrade that, or uninstall it. --debug shows where it happened.",
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
