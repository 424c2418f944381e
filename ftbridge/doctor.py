"""Is everything here that ftbridge needs? Each check says what is, and, where it is a problem, what to do.

Keys are looked for and never shown. Nothing is asked of anybody on the network unless `endpoints` is chosen.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from threading import Thread
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from packaging.requirements import Requirement

from ftbridge.config import Config
from ftbridge.config.load import load_config
from ftbridge.errors import ConfigError, FtbridgeError, MissingExtra, StateError, UsageError
from ftbridge.foreign.redaction import redact, register_environment
from ftbridge.home import LEDGER, find_home
from ftbridge.model import Frozen
from ftbridge.plugins import load_provider, provider_names
from ftbridge.provider import Provider
from ftbridge.provider.hosted import HostedProvider
from ftbridge.target import Target, parse_target
from ftbridge.wording import clause, counted

_GIGABYTE = 1e9
_FULL, _SMALL = 0.1, 5.0  # gigabytes: below the first no ledger is safe, below the second few results fit
_PATIENCE = 10.0  # seconds for each endpoint
_NOT_FOR_USE = ("all", "dev")  # extras that name others, or are for developing ftbridge
_EXTRA = re.compile(r"extra == ['\"]([\w-]+)['\"]")

About: TypeAlias = Literal[
    "python", "extra", "key", "provider", "config", "disk", "ledger", "devices", "endpoint", "host"
]


class Check(Frozen):
    """What was found: "note" is good to know, "problem" stops something; `fix` is what to do about it.

    `name` is that of the extra, the environment variable or the provider that it is about, where it is about one.
    """

    about: About
    state: Literal["ok", "note", "problem"]
    what: str
    fix: str = ""
    name: str = ""


@runtime_checkable
class TrainsHere(Protocol):
    """A provider that trains on this machine."""

    def devices(self) -> str:
        """On what, such as "2 NVIDIA GPUs". Raises `MissingExtra`."""


@runtime_checkable
class TrainsElsewhere(Protocol):
    """A provider that trains on other machines."""

    def inspect(self, host: str) -> Iterable[Check]:
        """What there is at the host. Raises `FtbridgeError` where it cannot be asked."""


def examine_host(text: str) -> Iterator[Check]:
    """Every check of the host in a target, such as ssh:HOST. Raises `UsageError` for a target without one."""
    register_environment(os.environ)
    home = find_home()
    config = load_config(home, lambda _warning: None).config
    target = parse_target(text, config.targets)
    provider = load_provider(target, home, config=config)
    if not isinstance(provider, TrainsElsewhere):
        raise UsageError(
            f"{target.provider} has no hosts", hint="Name one as ssh:HOST; without a target all is checked."
        )
    try:
        yield from provider.inspect(target.model.partition("/")[0])
    except FtbridgeError as problem:
        yield _problem("host", problem, target.model)


def examine(*, endpoints: bool = False) -> Iterator[Check]:
    """Every check, as it is made; with `endpoints` also whether the vendors answer, and take the keys."""
    register_environment(os.environ)
    yield Check(about="python", state="ok", what=f"Python {platform.python_version()}, ftbridge {_version()}")
    yield from _extras()
    try:
        home = find_home()
    except StateError as problem:
        yield _problem("disk", problem)
        return
    yield _disk(home)
    yield _ledger(home, ask_server=endpoints)
    config, checks = _config(home)
    yield from checks
    opened: list[Provider] = []
    for name in provider_names():
        try:
            opened.append(load_provider(Target(name, ""), home, config=config))
        except FtbridgeError as problem:
            yield _problem("provider", problem, name)
    for check in (_keys, _devices):
        for provider in opened:
            yield from check(provider)
    if endpoints:
        yield from _endpoints([one for one in opened if "list_models" in one.capabilities.verbs])


def _version() -> str:
    try:
        return version("ftbridge")
    except PackageNotFoundError:
        return "from its source"


def _extras() -> Iterator[Check]:
    """Which extras are installed; one of which only a part is, or the wrong version, is a problem."""
    wanted: dict[str, list[Requirement]] = {}
    for requirement in map(Requirement, _requirements()):
        for extra in _EXTRA.findall(str(requirement.marker or "")):
            wanted.setdefault(extra, []).append(requirement)
    for extra, requirements in sorted(wanted.items()):
        if extra in _NOT_FOR_USE:
            continue
        faults = [fault for one in requirements if (fault := _fault(one, extra))]
        missing = [fault for fault in faults if fault.endswith(" is missing")]
        fix = f"pip install 'ftbridge[{extra}]'"
        if not faults:
            yield Check(about="extra", state="ok", what=f"ftbridge[{extra}] is installed", name=extra)
        elif len(missing) == len(requirements):
            yield Check(about="extra", state="note", what=f"ftbridge[{extra}] is not installed", fix=fix, name=extra)
        else:
            what = f"ftbridge[{extra}] cannot be used: {', '.join(faults)}"
            yield Check(about="extra", state="problem" if not missing else "note", what=what, fix=fix, name=extra)


def _requirements() -> list[str]:
    try:
        return requires("ftbridge") or []
    except PackageNotFoundError:  # run from its source
        return []


def _fault(requirement: Requirement, extra: str) -> str:
    """What is wrong with a package that an extra needs; "" where nothing is."""
    if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
        return ""  # not on this system
    try:
        installed = version(requirement.name)
    except PackageNotFoundError:
        return f"{requirement.name} is missing"
    if requirement.specifier.contains(installed, prereleases=True):
        return ""
    return f"{requirement.name} is {installed}, and {requirement.specifier} is needed"


def _disk(home: Path) -> Check:
    """Whether the home folder has room."""
    free = shutil.disk_usage(home).free / _GIGABYTE
    state: Literal["ok", "note", "problem"] = "problem" if free < _FULL else "note" if free < _SMALL else "ok"
    fix = "Free some space, or set FTBRIDGE_HOME to a folder on another disk." if state != "ok" else ""
    return Check(about="disk", state=state, what=f"{free:,.1f} GB are free for {home}", fix=fix)


def _ledger(home: Path, *, ask_server: bool) -> Check:
    """Whether the ledger can be read; it is brought to the newest schema, as by any command."""
    if on_server := bool(os.environ.get("FTBRIDGE_LEDGER")):
        if not ask_server:
            return Check(about="ledger", state="ok", what="on a server, which only --endpoints asks")
    elif not (home / LEDGER).exists():
        return Check(about="ledger", state="ok", what="none yet: the first job makes it")
    from ftbridge.ledger import Ledger
    from ftbridge.ledger.schema import MIGRATIONS

    try:
        ledger = Ledger(home)
        jobs = len(ledger.jobs())
        ledger.close()
    except FtbridgeError as problem:
        return _problem("ledger", problem)
    where = "on a server" if on_server else home / LEDGER
    return Check(about="ledger", state="ok", what=f"{where}: schema {len(MIGRATIONS)}, {counted(jobs, 'job')}")


def _config(home: Path) -> tuple[Config, list[Check]]:
    """What applies of the ftbridge.toml files, and what is wrong with them."""
    warnings: list[str] = []
    try:
        config = load_config(home, warnings.append).config
    except FtbridgeError as problem:
        return Config(), [_problem("config", problem)]
    return config, [Check(about="config", state="note", what=warning) for warning in warnings]


def _keys(provider: Provider) -> Iterator[Check]:
    """Which of a provider's keys are in the environment, and whether they can be sent."""
    for name, variable in provider.settings_class.secrets.items():
        if not os.environ.get(variable, "").strip():
            fix = f"Set {variable} to use {provider.name}." if name == "api_key" else ""
            yield Check(about="key", state="note", what=f"{variable} is not set", fix=fix, name=variable)
            continue
        try:
            if name == "api_key" and isinstance(provider, HostedProvider):
                _ = provider.connection
        except ConfigError as problem:
            yield _problem("key", problem, variable)
        else:
            yield Check(about="key", state="ok", what=f"{variable} is set", name=variable)


def _devices(provider: Provider) -> Iterator[Check]:
    """On what a provider trains that trains here."""
    if isinstance(provider, TrainsHere):
        try:
            what = f"{provider.name} trains on {provider.devices()}"
            yield Check(about="devices", state="ok", what=what, name=provider.name)
        except MissingExtra as problem:
            what, fix = problem.message, problem.hint
            yield Check(about="devices", state="note", what=what, fix=fix, name=provider.name)


def _endpoints(providers: Sequence[Provider]) -> Iterator[Check]:
    """Ask the vendors whose keys are set for their models, which needs the right key, and costs nothing.

    One after the other, since SDKs that several threads import at once may be seen half loaded.
    """
    answers: dict[str, Check] = {}
    for one in filter(_has_key, providers):
        thread = Thread(target=_ask, args=(one, answers), daemon=True)
        thread.start()
        thread.join(_PATIENCE)  # one that hangs is left behind
        late = f"{one.name} has not answered in {_PATIENCE:.0f} seconds"
        fix = "Check the network, the proxy and the base URL."
        yield answers.get(one.name, Check(about="endpoint", state="problem", what=late, fix=fix, name=one.name))


def _has_key(provider: Provider) -> bool:
    return bool(os.environ.get(provider.settings_class.secrets.get("api_key", ""), "").strip())


def _ask(provider: Provider, answers: dict[str, Check]) -> None:
    name = provider.name
    try:
        what = f"{name} answers, and lists {counted(len(provider.list_models()), 'model')}"
        answers[name] = Check(about="endpoint", state="ok", what=what, name=name)
    except FtbridgeError as problem:
        answers[name] = _problem("endpoint", problem, name)
    except Exception as problem:  # a plugin may raise anything
        what, fix = f"{name} cannot be asked: {type(problem).__name__}: {problem}", "Upgrade the package that has it."
        answers[name] = Check(about="endpoint", state="problem", what=redact(what), fix=fix, name=name)
    finally:
        provider.close()


def _problem(about: About, problem: FtbridgeError, name: str = "") -> Check:
    return Check(about=about, state="problem", what=clause(problem.message), fix=problem.hint, name=name)
