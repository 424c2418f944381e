"""What every room works with: the home, the ledger, the providers, and the facts about them."""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Self

from ftbridge.arguments import one_or_more
from ftbridge.catalogue import Catalogue, Entry, Row, own_rows, rows_from
from ftbridge.config import Config
from ftbridge.config.load import hooks_of_process, load_config
from ftbridge.errors import ConfigError, FtbridgeError, MissingExtra, NetworkError, ProviderError, TargetError
from ftbridge.foreign.redaction import redact, register, register_environment
from ftbridge.foreign.values import clean
from ftbridge.home import find_home
from ftbridge.model import Job
from ftbridge.plugins import load_provider, mock_names, provider_names, provider_rows
from ftbridge.provider import Provider
from ftbridge.target import Target, parse_target, split_targets
from ftbridge.wording import clause, did_you_mean, printable

if TYPE_CHECKING:
    from ftbridge.ledger import Ledger, Record

_logger = logging.getLogger(__name__)


class Context:
    """One home with its ledger, its config and its providers, which are opened when they are first needed.

    Several threads may use it at once, and any number of processes may share one home. `home` is $FTBRIDGE_HOME, or
    the platform's user data folder, unless it is given. `warn` gets each warning before anything is done; by default
    they are collected in `warnings`.
    """

    def __init__(
        self,
        home: str | Path | None = None,
        *,
        config: Config | None = None,
        warn: Callable[[str], None] | None = None,
    ) -> None:
        self.home = find_home(home)
        self.warnings: list[str] = []
        self._warn = warn or self.warnings.append
        loaded = load_config(self.home, self.warn) if config is None else None
        self.config = loaded.config if loaded else config or Config()
        self._doubts = dict(loaded.doubts) if loaded else {}
        self.hooks = loaded.hooks if loaded else hooks_of_process(self.home, self.config)
        register_environment(os.environ)
        register(*(os.environ.get(hook.secret_env) for hook in self.hooks.callable.values()))
        _check_names("budgets", self.config.budgets, self.config)
        _check_names("limits", self.config.limits, self.config)
        _check_names("providers", self.config.providers, self.config)
        _check_kinds(self.config)
        self._opening = RLock()  # held while something is opened that all threads share
        self._opened = ExitStack()  # providers, and mocks that this process serves
        self._providers: dict[str, Provider] = {}
        self._live: dict[Target, tuple[Row, ...]] = {}

    def warn(self, message: str) -> None:
        """Warn the caller of something, and log it."""
        message = redact(message)
        _logger.warning("%s", message)
        self._warn(message)

    def close(self) -> None:
        """Close connections and the ledger, and stop mock servers; `with Bridge() as bridge:` does it at its end.

        What is used after that is opened anew.
        """
        with self._opening:
            self._providers.clear()
            self._opened.close()
            if "_ledger" in self.__dict__:
                self._ledger.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.home}>"

    def __init_subclass__(cls, **arguments: Any) -> None:
        """The rooms' functions among the class's attributes are its methods: `help` calls their first argument self."""
        super().__init_subclass__(**arguments)
        for member in vars(cls).values():
            if inspect.isfunction(member):
                own, *others = (signature := inspect.signature(member)).parameters.values()
                own = own.replace(name="self", annotation=inspect.Parameter.empty)
                member.__signature__ = signature.replace(parameters=[own, *others])  # type: ignore[attr-defined]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_problem: object) -> None:
        self.close()

    @property
    def ledger(self) -> Ledger:
        """The ledger of this home, opened when it is first needed: what only reads datasets loads no database."""
        with self._opening:
            return self._ledger

    @cached_property
    def _ledger(self) -> Ledger:
        from ftbridge.ledger import Ledger, register_hooks

        ledger = Ledger(self.home, hooks=self.hooks.sources)
        register_hooks(ledger, self.hooks.names)
        return ledger

    def record(self, job: Job | str) -> Record:
        """The ledger's record of a job, by its ID, the beginning of it, its name, or "last", as `find_record` has it.

        Warns where several jobs have that name. Raises `JobNotFound`.
        """
        from ftbridge.ledger import find_record

        if not isinstance(job, str):
            return self.ledger.job(job.id)
        record, namesakes = find_record(self.ledger, clean(job))
        if namesakes > 1:
            self.warn(f"{namesakes} jobs are named {record.job.name!r}; this is the newest, {record.job.id}")
        return record

    def provider_of(self, record: Record) -> Provider:
        """The provider that a job was sent to."""
        return self.provider_named(record.provider)

    def targets(self, given: str | Sequence[str]) -> list[str]:
        """The strings or names of targets in what was given, each one, or several with commas between."""
        known, names = provider_names(), self.config.targets
        return [text for one in one_or_more(given) for text in split_targets(one, known, names)]

    def target(self, text: str) -> Target:
        """The target of that string or name, its model independent of the working folder.

        A relative path in `[targets]` is from its ftbridge.toml. Warns, once, where a file that may be another user's
        doing says what the name means.
        """
        if len(several := self.targets(text)) > 1:
            raise TargetError(
                f"{printable(text)} are {len(several)} targets", hint="Give one: each is a job of its own."
            )
        named = self.config.targets if self.config.targets or self.config.file else None
        target = parse_target(text, named)
        file = self.config.origin("targets", text) if text in self.config.targets else None
        if doubt := self._doubts.pop(text, None):
            self.warn(f"{text} means {target}, as written in {doubt}")
        folder = file.resolve().parent if file else Path()
        return target._replace(model=self.provider(target).resolve(target.model, folder))

    def provider(self, target: Target) -> Provider:
        """The provider of a target, the same one each time."""
        name = account_name(target)
        with self._opening:
            if name not in self._providers:
                provider = load_provider(target, self.home, config=self.config, warn=self.warn, resources=self._opened)
                self._opened.callback(provider.close)  # before its mock server stops
                self._providers[name] = provider
            return self._providers[name]

    def provider_named(self, name: str) -> Provider:
        """The provider of that name, with mock+ before it where it is mocked."""
        return self.provider(parse_target(f"{name}:any"))

    def concurrency_limit(self, name: str) -> int | None:
        """How many jobs may be under way at once at the provider of that name; `None` is as many as one likes."""
        return self.config.limits.get(name) or self.provider_named(name).concurrency_limit

    @property
    def catalogue(self) -> Catalogue:
        """The rows of all installed providers, and after them, so that they win, the user's own.

        Raises `ConfigError` for rows that cannot be read.
        """
        with self._opening:
            return self._catalogue

    @cached_property
    def _catalogue(self) -> Catalogue:
        rows: list[Row] = []
        for name in provider_names():
            try:
                rows += provider_rows(name, self.home, self.config)
            except MissingExtra:  # what cannot be used is neither compared nor recommended
                continue
            except FtbridgeError as problem:
                self.warn(f"{clause(problem.message)}; its models are left out")
        own = self.config.catalogue
        for address in own.files:
            rows += own_rows(address, self.home, self.warn)
        return Catalogue([*rows, *rows_from(own.row, str(self.config.file or "the config"))])

    def entry(self, target: Target, *, live: bool = False) -> Entry:
        """What is known of the target's model; with `live` its provider is asked too, once, and wins."""
        try:
            model = self.provider(target).base_model(target.model)
        except TargetError:  # its provider was installed when the job was submitted
            return self.catalogue.entry(target.provider, target.model, ())
        return self.catalogue.entry(target.provider, model, self._live_rows(target, model) if live else ())

    def _live_rows(self, target: Target, model: str) -> tuple[Row, ...]:
        if target not in self._live:  # two threads may both ask; the first answer stays
            try:
                rows = self.provider(target).live_catalogue(model)
            except (ConfigError, MissingExtra, NetworkError, ProviderError) as problem:
                self.warn(f"{target.provider} gave no information about {target.model}: {problem.message}")
                rows = ()
            self._live.setdefault(target, rows)
        return self._live[target]


def _check_names(table: str, names: Iterable[str], config: Config) -> None:
    """Raises `ConfigError` for an unknown provider: its budget would have no effect."""
    for name in names:
        known = [*provider_names(), *(f"mock+{vendor}" for vendor in mock_names())]
        if name not in known:
            raise ConfigError(
                f"{config.origin(table, name) or 'the config'}: [{table}] {name} is not a provider",
                hint=f"{did_you_mean(name, known)}Known providers: {', '.join(known)}.",
            )


def _check_kinds(config: Config) -> None:
    """Raises `ConfigError` for a runner without a kind that is known."""
    for name, table in config.runners.items():
        if (kind := table.get("kind")) not in provider_names():
            where = f"{config.origin('runners', name) or 'the config'}: [runners.{name}]"
            what = "has no kind" if kind is None else f"kind = {printable(repr(kind))} is not known"
            raise ConfigError(f"{where} {what}", hint='A kind is a provider that runs jobs elsewhere, such as "ssh".')


def account_name(target: Target) -> str:
    """The provider's name, or its mock's."""
    return f"{'mock+' * target.mocked}{target.provider}"
