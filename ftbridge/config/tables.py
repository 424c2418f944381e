"""What ftbridge.toml may hold, and how it is read; which files apply is for `configuration` to say."""

from __future__ import annotations

import base64
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, model_validator

from ftbridge.errors import ConfigError
from ftbridge.foreign.redaction import register
from ftbridge.model import Frozen
from ftbridge.wording import broken_rule, did_you_mean

FILE_NAME = "ftbridge.toml"
LARGEST = 256 * 1024
"""Bytes of an ftbridge.toml at most."""
BETWEEN = "@"
"""Stands between a hook's name and its source, wherever a hook is named with the file that it is from."""
COMMANDS = frozenset({"python", "setup", "ssh_config", "options", "image", "pip", "address"})
"""The keys of a runner with which it runs commands, here or elsewhere, or sends a token to an address.

An ssh_config may have a ProxyCommand.
"""
_SECRET_PREFIX = "whsec_"  # noqa: S105 - how a secret begins, not a secret
_SECRET_BYTES = 24


class OwnCatalogue(Frozen):
    """The user's own catalogues, at https addresses or paths, and single rows."""

    files: tuple[str, ...] = ()
    row: tuple[Mapping[str, Any], ...] = ()


class Hook(Frozen):
    """A command that gets each change of a job as JSON on its standard input, or a URL that it is posted to.

    Requests are signed with the secret in the environment variable `secret_env`. A command gets the environment without
    keys and passwords, except the variables that `secrets` names.
    """

    command: tuple[str, ...] = ()
    url: str | None = None
    secrets: tuple[str, ...] = ()
    secret_env: str = "FTBRIDGE_HOOK_SECRET"  # noqa: S105 - where the secret is, not what it is

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Hook:
        if bool(self.command) == bool(self.url):
            raise ValueError('a hook has either a command, such as ["notify-send", "ftbridge"], or a url')
        return self

    def check(self, name: str) -> None:
        """Raises `ConfigError` where the hook `name` cannot work as it is configured."""
        if self.url and not is_safe_url(self.url):
            raise ConfigError(f"hook {name}: its url is neither https nor this machine", hint="Use an https address.")
        if self.url:
            self.secret(name)

    def secret(self, name: str) -> bytes:
        """The secret that signs requests to the hook `name`. Raises `ConfigError` where the environment has none."""
        text = os.environ.get(self.secret_env, "").removeprefix(_SECRET_PREFIX)
        register(text)
        try:
            secret = base64.b64decode(text, validate=True)
        except ValueError:
            secret = b""
        if len(secret) < _SECRET_BYTES:
            raise ConfigError(
                f"hook {name} has no secret to sign with: {self.secret_env} is not 24 bytes or more in base64",
                hint=f"Set it: export {self.secret_env}=whsec_$(head -c 32 /dev/urandom | base64)",
            )
        return secret


class Config(Frozen):
    """What ftbridge.toml may hold.

    `budgets` are US dollars a calendar month and `limits` how many jobs may run at once, by provider. `providers` are
    settings by provider, which each provider checks by its own model, and `runners` where jobs run elsewhere, by name,
    which the provider checks that is each one's `kind`. `origins` is the file of each entry, by "table.name", and
    `file` the one that is nearest to the working folder.
    """

    targets: Mapping[str, str] = Field(default_factory=dict)
    catalogue: OwnCatalogue = OwnCatalogue()
    budgets: Mapping[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    limits: Mapping[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    hooks: Mapping[str, Hook] = Field(default_factory=dict)
    providers: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    runners: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    file: Path | None = None
    origins: Mapping[str, Path] = Field(default_factory=dict)

    def origin(self, table: str, name: str) -> Path | None:
        """The file that an entry is from; `None` for a config that is from none."""
        return self.origins.get(f"{table}.{name}", self.file)


def read_config(content: bytes, file: Path) -> Config:
    """The config in the content of `file`, with the paths in it made absolute. Raises `ConfigError`."""
    tables = read_toml(content, file)
    origins = {f"{table}.{name}": file for table, names in tables.items() if isinstance(names, dict) for name in names}
    for name, settings in providers.items() if isinstance(providers := tables.get("providers"), dict) else ():
        origins |= {f"providers.{name}.{key}": file for key in settings if isinstance(settings, dict)}
    try:
        config = Config.model_validate(tables | {"file": file, "origins": origins})
    except ValidationError as problem:
        first = problem.errors()[0]
        if first["type"] == "extra_forbidden":
            raise _unknown_name(file, [str(step) for step in first["loc"]]) from None
        path = ".".join(str(step) for step in first["loc"])
        raise ConfigError(
            f"{file}: {path}: {broken_rule(first)}",
            hint="Its tables are [targets], [catalogue], [budgets], [limits], [hooks.NAME], [providers.NAME] and"
            " [runners.NAME].",
        ) from problem
    if shapes := [name for name in config.targets if ":" in name]:
        raise ConfigError(
            f"{file}: [targets] {shapes[0]!r} is no name, because it has a colon: what has one is a target itself",
            hint="Give it a name without a colon.",
        )
    files = tuple(name if "://" in name else _absolute(file, name) for name in config.catalogue.files)
    rows = tuple({"source": str(file), **row} for row in config.catalogue.row)
    hooks = {name: _with_absolute_command(hook, file) for name, hook in config.hooks.items()}
    return config.model_copy(update={"catalogue": OwnCatalogue(files=files, row=rows), "hooks": hooks})


def _with_absolute_command(hook: Hook, file: Path) -> Hook:
    """The hook with the path of its program made absolute; a bare name is looked up in the PATH."""
    if not hook.command or not ("/" in hook.command[0] or hook.command[0].startswith("~")):
        return hook
    program, *words = hook.command
    return hook.model_copy(update={"command": (_absolute(file, program), *words)})


def _absolute(file: Path, name: str) -> str:
    """A path in `file`; where that is a link, relative ones are from what it leads to, whose content they are."""
    try:
        path = Path(name).expanduser()
    except RuntimeError:  # ~name of nobody
        path = Path(name)
    return str(file.resolve().parent / path)


def read_targets(content: bytes, file: Path) -> Config:
    """Only the `[targets]` in the content of `file`, but those that would redefine a target. Raises `ConfigError`."""
    targets = read_toml(content, file).get("targets", {})
    named = targets.items() if isinstance(targets, dict) else ()
    names = {name: text for name, text in named if isinstance(text, str) and ":" not in name}
    return Config(targets=names, file=file, origins={f"targets.{name}": file for name in names})


def read_toml(content: bytes, file: Path) -> dict[str, Any]:
    """The tables in the content of `file`. Raises `ConfigError`, also for U+0000, which no path can have."""
    try:
        tables = tomllib.loads(content.decode())
        if any("\0" in text for text in _texts(tables)):
            raise ValueError("a text in it has the character U+0000")
    except (ValueError, RecursionError) as problem:
        raise unreadable(file, problem) from problem
    return tables


def _texts(value: Any) -> Iterator[str]:
    """All names and texts in a value."""
    if isinstance(value, str):
        yield value
    for one in [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(one)


def unreadable(file: Path, problem: Exception) -> ConfigError:
    """The error for a file that cannot be read."""
    why = getattr(problem, "strerror", None) or problem
    return ConfigError(f"{file} cannot be read: {why}", hint="Correct the file, or move it away.")


def merge(home: Config, project: Config) -> Config:
    """Both together: the project's targets and settings win, the lower budget or limit holds, hooks are the home's."""
    budgets, limits = _lower(home, project, "budgets"), _lower(home, project, "limits")
    providers = {
        name: {**home.providers.get(name, {}), **project.providers.get(name, {})}
        for name in {**home.providers, **project.providers}
    }
    return Config(
        targets={**home.targets, **project.targets},
        catalogue=OwnCatalogue(
            files=(*home.catalogue.files, *project.catalogue.files), row=(*home.catalogue.row, *project.catalogue.row)
        ),
        budgets={name: of.budgets[name] for name, of in budgets.items()},
        limits={name: of.limits[name] for name, of in limits.items()},
        hooks=home.hooks,
        providers=providers,
        runners={**home.runners, **project.runners},
        file=project.file or home.file,
        origins={**home.origins, **project.origins, **_origins("budgets", budgets), **_origins("limits", limits)},
    )


def with_targets_below(config: Config, doubtful: Config) -> Config:
    """The config with the targets of a doubtful file for the names that it has not itself."""
    return config.model_copy(
        update={
            "targets": {**doubtful.targets, **config.targets},
            "origins": {**doubtful.origins, **config.origins},
            "file": config.file or doubtful.file,
        }
    )


def _lower(home: Config, project: Config, table: str) -> dict[str, Config]:
    """Which of the two holds, by the names in a table of both."""
    ours, theirs = getattr(home, table), getattr(project, table)
    return {
        name: home if name not in theirs or (name in ours and ours[name] <= theirs[name]) else project
        for name in {**ours, **theirs}
    }


def _origins(table: str, holds: Mapping[str, Config]) -> dict[str, Path]:
    return {f"{table}.{name}": file for name, of in holds.items() if (file := of.origin(table, name))}


def _unknown_name(file: Path, loc: Sequence[str]) -> ConfigError:
    """The error for an unknown table, or an unknown key in a table."""
    *above, name = loc
    tables: dict[str, type[Frozen]] = {"": Config, "catalogue": OwnCatalogue, "hooks": Hook}
    known = [field for field in tables[above[0] if above else ""].model_fields if field not in ("file", "origins")]
    if not above:
        what, where = f"there is no table [{name}]", "The tables are"
    else:
        what, where = f"[{'.'.join(above)}] has no {name!r}", "Its keys are"
    return ConfigError(f"{file}: {what}", hint=f"{did_you_mean(name, known)}{where}: {', '.join(known)}.")


def is_safe_url(url: str) -> bool:
    """Whether what is sent there is encrypted or stays on this machine."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # a bracket that is not closed, or a port beyond 65535
        return False
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and is_loopback(str(parts.hostname)))
    )


def is_loopback(host: str) -> bool:
    """Whether the host is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
