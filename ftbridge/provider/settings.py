"""What a provider can be set to: `[providers.NAME]` in ftbridge.toml, and environment variables, which win over it.

An environment variable belongs to one shell and is set on purpose, a file is shared: so the variable wins, as it does
for pip, uv and the vendors' own SDKs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import Field, PrivateAttr, ValidationError

from ftbridge.errors import ConfigError
from ftbridge.foreign.redaction import is_secret_name, redact
from ftbridge.model import Frozen
from ftbridge.wording import broken_rule, did_you_mean


def setting(default: Any, *, env: str, description: str = "") -> Any:
    """A field of `Settings` that the environment variable `env` can set as well."""
    return Field(default, description=description, json_schema_extra={"env": env})


class Settings(Frozen):
    """Base of a provider's settings: a pydantic model whose fields are made with `setting`.

    >>> class AcmeSettings(Settings):
    ...     region: str = setting("eu", env="ACME_REGION", description="Where jobs run.")

    Keys are never settings. `secrets` names the environment variable that holds each of them, and one that is written
    into ftbridge.toml is refused.
    """

    secrets: ClassVar[Mapping[str, str]] = {}
    _sources: dict[str, str] = PrivateAttr(default_factory=dict)

    @classmethod
    def read(
        cls,
        table: Mapping[str, Any],
        environment: Mapping[str, str] = os.environ,
        *,
        where: str = "the settings",
        folders: Mapping[str, Path] | None = None,
    ) -> Self:
        """The settings in a table of ftbridge.toml, which errors call `where`, and in the environment.

        A relative path in the table is from its folder in `folders`, where that has one.

        Raises `ConfigError` for a name that is not a setting, a value of the wrong type, and for a key in the table.
        """
        for name, value in table.items():
            cls._check(name, value, where)
        sources = dict.fromkeys(table, where)
        values = {name: value.strip() if isinstance(value, str) else value for name, value in table.items()}
        for name in cls.model_fields:
            if (variable := cls.variable(name)) and (text := environment.get(variable, "").strip()):
                values[name], sources[name] = text, variable
        try:
            settings = cls.model_validate(values)
        except ValidationError as problem:
            first = problem.errors()[0]
            name = str(first["loc"][0]) if first["loc"] else ""
            source = sources.get(name, where)
            what = source if source == cls.variable(name) else f"{source} {name}"
            raise ConfigError(f"{what}: {broken_rule(first)}", hint="Correct the value, or remove it.") from None
        paths = {
            name: folder / path.expanduser()
            for name, folder in (folders or {}).items()
            if sources.get(name) == where and isinstance(path := getattr(settings, name), Path)
        }
        settings = settings.model_copy(update=paths)
        settings._sources.update(sources)  # noqa: SLF001 - the class's own
        return settings

    @classmethod
    def variable(cls, name: str) -> str:
        """The environment variable of a setting; "" where it has none."""
        extra = cls.model_fields[name].json_schema_extra if name in cls.model_fields else None
        return str(extra["env"]) if isinstance(extra, dict) and "env" in extra else ""

    def is_from_file(self, name: str) -> bool:
        """Whether the value of a setting is from ftbridge.toml."""
        return name in self._sources and self._sources[name] != self.variable(name)

    def source(self, name: str) -> str:
        """What set the value, for messages: the environment variable, or the table and its key."""
        if self.is_from_file(name):
            return f"{self._sources[name]} {name}"
        return self.variable(name) or name

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            yield name, redact(value) if isinstance(value, str) else value  # the environment may hold a password

    @classmethod
    def _check(cls, name: str, value: Any, where: str) -> None:
        if _has_userinfo(value) or (name not in cls.model_fields and is_secret_name(name)):
            variables = cls.secrets.get(name) or ", ".join(cls.secrets.values())
            instead = f", and set {variables} in the environment" if variables else ""
            raise ConfigError(
                f"{where} {name} holds a key, and keys do not belong in ftbridge.toml",
                hint=f"Remove it from the file{instead}. If the file was shared, replace the key at the vendor.",
            )
        if name not in cls.model_fields:
            known = ", ".join(cls.model_fields) or "none"
            hint = f"{did_you_mean(name, cls.model_fields)}Its settings are: {known}."
            raise ConfigError(f"{where} has no setting {name!r}", hint=hint)


def _has_userinfo(value: Any) -> bool:
    """Whether it is a URL with a user name or password in it."""
    try:
        return isinstance(value, str) and "@" in urlsplit(value).netloc
    except ValueError:
        return False


class HostedSettings(Settings):
    """The settings of every provider behind an HTTP API; a vendor overrides `base_url` with its own default."""

    base_url: str = ""
