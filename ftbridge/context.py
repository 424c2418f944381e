"""What the bridge's protocols work with: the home, the ledger, the providers, and the facts about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Self

from ftbridge.catalogue import Catalogue, Entry, Row, fetched, read_rows, rows_from
from ftbridge.config import Config, load_config
from ftbridge.errors import ConfigError, MissingExtra, NetworkError, ProviderError
from ftbridge.home import find_home
from ftbridge.ledger import Ledger, Record
from ftbridge.model import Job
from ftbridge.plugins import load_provider, mock_names, provider_names
from ftbridge.provider import Provider
from ftbridge.target import Target, parse_target
from ftbridge.wording import did_you_mean


class Context:
    """One home with its ledger, its config and its providers, which are opened when they are first needed.

    `home` is $FTBRIDGE_HOME, or the platform's user data folder, unless it is given; any number of processes may
    share one. `warn` gets each warning before anything is done; by default they are collected in `warnings`.
    """

    def __init__(
        self,
        home: Path | None = None,
        *,
        config: Config | None = None,
        warn: Callable[[str], None] | None = None,
    ) -> None:
        self.home = home or find_home()
        self.config = config or load_config()
        self.warnings: list[str] = []
        self.warn = warn or self.warnings.append
        for name, hook in self.config.hooks.items():
            hook.check(name)  # here, and not when the first event has to be told
        _check_names("budgets", self.config.budgets, self.config)
        _check_names("limits", self.config.limits, self.config)
        _check_names("providers", self.config.providers, self.config)
        self.ledger = Ledger(self.home, hooks=list(self.config.hooks))
        self._providers: dict[str, Provider] = {}
        self._resources = ExitStack()  # mocks that this process serves
        self._lock = Lock()  # two threads get the same provider
        self._live: dict[Target, tuple[Row, ...]] = {}

    def close(self) -> None:
        """Let go of connections and of the ledger's file; `with Bridge() as bridge:` does it at the block's end."""
        for provider in self._providers.values():
            provider.close()
        self._providers.clear()
        self._resources.close()
        self.ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_problem: object) -> None:
        self.close()

    def record(self, job: Job | str) -> Record:
        """The ledger's record of a job, by its id, an unambiguous beginning of it, its name, or "last"."""
        return self.ledger.job(job if isinstance(job, str) else job.id)

    def provider_of(self, record: Record) -> Provider:
        """The provider that a job was sent to."""
        return self.provider_named(record.provider)

    def target(self, text: str) -> Target:
        """The target of that string or name, its model independent of the working folder."""
        target = parse_target(text, self.config.targets)
        return target._replace(model=self.provider(target).resolve(target.model))

    def provider(self, target: Target) -> Provider:
        """The provider of a target, the same one each time."""
        name = account_name(target)
        with self._lock:
            if name not in self._providers:
                self._providers[name] = load_provider(
                    target, self.home, config=self.config, warn=self.warn, resources=self._resources
                )
            return self._providers[name]

    def provider_named(self, name: str) -> Provider:
        """The provider of that name, with mock+ before it where it is mocked."""
        return self.provider(parse_target(f"{name}:any"))

    def concurrency_limit(self, name: str) -> int | None:
        """How many jobs may be under way at once at the provider of that name; `None` is as many as one likes."""
        return self.config.limits.get(name) or self.provider_named(name).concurrency_limit

    @cached_property
    def catalogue(self) -> Catalogue:
        """The rows of all installed providers, and after them, so that they win, the user's own.

        Raises `ConfigError` for rows that cannot be read.
        """
        rows: list[Row] = []
        for name in provider_names():
            try:
                rows += load_provider(Target(name, ""), self.home).catalogue()
            except MissingExtra:  # what cannot be used is neither compared nor recommended
                continue
        own, file = self.config.catalogue, self.config.file or Path("ftbridge.toml")
        for name in own.files:
            address = name if "://" in name else str(file.parent / name)
            rows += read_rows(fetched(address, self.home, self.warn), address)
        return Catalogue([*rows, *rows_from(own.row, str(file))])

    def entry(self, target: Target, *, live: bool = False) -> Entry:
        """What is known of the target's model; with `live` its provider is asked too, once, and wins."""
        if live and target not in self._live:
            try:
                provider = self.provider(target)
                self._live[target] = provider.live_catalogue(provider.base_model(target.model))
            except (ConfigError, MissingExtra, NetworkError, ProviderError) as problem:
                self.warn(f"what {target.provider} itself says of {target.model} is not known: {problem.message}")
                self._live[target] = ()
        model = self.provider(target).base_model(target.model)
        return self.catalogue.entry(target.provider, model, self._live.get(target, ()) if live else ())


def _check_names(table: str, names: Iterable[str], config: Config) -> None:
    """Raises `ConfigError` for an unknown provider: its budget would have no effect."""
    for name in names:
        known = [*provider_names(), *(f"mock+{vendor}" for vendor in mock_names())]
        if name not in known:
            raise ConfigError(
                f"{config.file or 'the config'}: [{table}] {name} is not a provider",
                hint=f"{did_you_mean(name, known)}Known are: {', '.join(known)}.",
            )


def account_name(target: Target) -> str:
    """The provider's name, or its mock's."""
    return f"{'mock+' * target.mocked}{target.provider}"
