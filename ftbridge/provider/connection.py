"""How a provider reaches its vendor: addresses, credentials, and the account that they belong to."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from ftbridge.config import is_safe_url
from ftbridge.errors import ConfigError
from ftbridge.foreign.redaction import register, register_url
from ftbridge.model import Frozen
from ftbridge.provider.settings import Settings
from ftbridge.wording import printable

INSECURE = "FTBRIDGE_INSECURE_BASE_URL"


class Connection(Frozen):
    """What a client of the vendor is opened with.

    `urls` are further addresses by name, and `basic_auth` are the user name and password that stood in `base_url`: HTTP
    clients log their addresses. Where the vendor takes no plain API key, `credentials` is the object that its
    SDK takes, such as a boto3 session or Google's default credentials, and `staging_bucket` is where files are put for
    it. `account` separates one key's files and jobs from another's without revealing the key. From now on the key, and
    passwords in the addresses, are masked wherever a text of the vendor's repeats them.

    Raises `ConfigError` for a key that cannot be sent as a header, without showing it: HTTP clients do show it.
    """

    base_url: str = ""
    urls: Mapping[str, str] = Field(default_factory=dict)
    api_key: SecretStr | None = None
    basic_auth: tuple[str, SecretStr] | None = None
    credentials: Any = Field(None, repr=False, exclude=True)
    staging_bucket: str | None = None
    account: str

    @field_validator("base_url", "urls")
    @classmethod
    def _without_line_ends(cls, value: str | Mapping[str, str]) -> str | Mapping[str, str]:
        return value.strip() if isinstance(value, str) else {name: url.strip() for name, url in value.items()}

    @field_validator("api_key")
    @classmethod
    def _is_header(cls, key: SecretStr | None) -> SecretStr | None:
        if key:
            check_key(key.get_secret_value(), "the API key")
        return key

    @model_validator(mode="after")
    def _masked(self) -> Self:
        register(self.api_key.get_secret_value() if self.api_key else None)
        for url in (self.base_url, *self.urls.values()):
            register_url(url)
        return self

    def key(self) -> str:
        """The API key, to be handed to a client and to nothing else."""
        if self.api_key is None:
            raise ConfigError("this connection has no API key", hint="Open it with one.")
        return self.api_key.get_secret_value()

    def auth(self) -> tuple[str, str] | None:
        """User name and password as an HTTP client takes them."""
        return (self.basic_auth[0], self.basic_auth[1].get_secret_value()) if self.basic_auth else None


def open_connection(
    provider: str,
    settings: Settings,
    *,
    url: str = "base_url",
    key: str = "api_key",
    service: str = "",
    environment: Mapping[str, str] = os.environ,
) -> Connection:
    """The connection to the address in the setting `url`, with the key in the environment.

    `key` is its name in `settings.secrets`; `service` is what errors call the vendor, where a provider has several.

    Raises `ConfigError` for a key that is missing or cannot be a header, never showing it; for a URL that would send
    it unencrypted; and where there is no URL.
    """
    service, variable = service or provider, settings.secrets[key]
    secret = environment.get(variable, "").strip()
    if not secret:
        raise ConfigError(f"there is no key for {service}", hint=f"Set {variable} in the environment.")
    check_key(secret, variable)
    base_url = str(getattr(settings, url)).rstrip("/")
    if not base_url:
        in_file = f"or {url} in [providers.{provider}] of ftbridge.toml"
        raise ConfigError(
            f"there is no address for {service}", hint=f"Set {settings.variable(url)} in the environment, {in_file}."
        )
    _check_url(base_url, settings.source(url))
    account = hashlib.sha256(f"{base_url}\n{secret}".encode()).hexdigest()[:12]
    register_url(base_url)
    address, basic_auth = _without_user(base_url)
    return Connection(base_url=address, basic_auth=basic_auth, api_key=SecretStr(secret), account=account)


def _without_user(base_url: str) -> tuple[str, tuple[str, SecretStr] | None]:
    """The address without its user name and password, and these."""
    parts = urlsplit(base_url)
    user, at, host = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    basic_auth = (unquote(name), SecretStr(unquote(password))) if at else None
    return parts._replace(netloc=host).geturl(), basic_auth


def check_key(key: str, name: str) -> None:
    """Raises `ConfigError` for a key that cannot be sent as a header, without showing it; `name` is what it is."""
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigError(
            f"{name} holds characters that no key has",
            hint="Set it again; look for line ends and quotation marks that were copied along.",
        )


def _check_url(base_url: str, source: str) -> None:
    if is_safe_url(base_url):
        return
    try:
        parts = urlsplit(base_url)
        _ = parts.port
    except ValueError:
        what = f"{source} = {printable(repr(base_url))} is not an address"
        raise ConfigError(what, hint="Write it as https://HOST/PATH.") from None
    if parts.scheme == "http" and parts.hostname and os.environ.get(INSECURE) == "1":
        return
    raise ConfigError(
        f"{source} = {base_url!r} is neither https nor this machine: the key would travel in the clear",
        hint=f"Use an https address, or pass --insecure-base-url (from Python: {INSECURE}=1) if you accept that.",
    )
