"""ftbridge.toml, read from the working folder or the nearest one above it."""

from __future__ import annotations

import base64
import os
import tomllib
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, model_validator

from ftbridge.errors import ConfigError
from ftbridge.model import Frozen
from ftbridge.wording import broken_rule, did_you_mean

FILE_NAME = "ftbridge.toml"
_SECRET_PREFIX = "whsec_"  # noqa: S105 - how a secret begins, not a secret
_SECRET_BYTES = 24


class OwnCatalogue(Frozen):
    """The user's own catalogues, at https addresses or paths relative to ftbridge.toml, and single rows."""

    files: tuple[str, ...] = ()
    row: tuple[Mapping[str, Any], ...] = ()


class Hook(Frozen):
    """A command that gets each change of a job as JSON on its standard input, or a URL that it is posted to.

    Requests are signed with the secret in the environment variable `secret_env`.
    """

    command: tuple[str, ...] = ()
    url: str | None = None
    secret_env: str = "FTBRIDGE_HOOK_SECRET"  # noqa: S105 - where the secret is, not what it is

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Hook:
        if bool(self.command) == bool(self.url):
            raise ValueError('a hook has either a command, such as ["notify-send", "ftbridge"], or a url')
        return self

    def check(self, name: str) -> None:
        """Raises `ConfigError` where the hook `name` cannot work as it is configured."""
        if self.url and not is_safe_url(self.url):
            raise ConfigError(
                f"hook {name}: {self.url!r} is neither https nor this machine", hint="Use an https address."
            )
        if self.url:
            self.secret(name)

    def secret(self, name: str) -> bytes:
        """The secret that signs requests to the hook `name`. Raises `ConfigError` where the environment has none."""
        text = os.environ.get(self.secret_env, "").removeprefix(_SECRET_PREFIX)
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
    settings by provider, which each provider checks by its own model.
    """

    targets: Mapping[str, str] = Field(default_factory=dict)
    catalogue: OwnCatalogue = OwnCatalogue()
    budgets: Mapping[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    limits: Mapping[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    hooks: Mapping[str, Hook] = Field(default_factory=dict)
    providers: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    file: Path | None = None


def load_config(folder: Path | None = None) -> Config:
    """The config that applies in `folder` (the working folder); an empty one where there is no file."""
    start = (folder or Path.cwd()).absolute()
    for parent in (start, *start.parents):
        if (parent / FILE_NAME).is_file():
            return _read(parent / FILE_NAME)
    return Config()


def _read(file: Path) -> Config:
    try:
        return Config.model_validate(tomllib.loads(file.read_text("utf-8")) | {"file": file})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as problem:
        raise ConfigError(f"{file} cannot be read: {problem}", hint="Correct the file, or move it away.") from problem
    except ValidationError as problem:
        first = problem.errors()[0]
        if first["type"] == "extra_forbidden":
            raise _unknown_name(file, [str(step) for step in first["loc"]]) from None
        path = ".".join(str(step) for step in first["loc"])
        raise ConfigError(
            f"{file}: {path}: {broken_rule(first)}",
            hint="Its tables are [targets], [catalogue], [budgets], [limits], [hooks.NAME] and [providers.NAME].",
        ) from problem


def _unknown_name(file: Path, loc: Sequence[str]) -> ConfigError:
    """The error for an unknown table, or an unknown key in a table."""
    *above, name = loc
    tables: dict[str, type[Frozen]] = {"": Config, "catalogue": OwnCatalogue, "hooks": Hook}
    known = [field for field in tables[above[0] if above else ""].model_fields if field != "file"]
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
        parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(str(parts.hostname)))
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
