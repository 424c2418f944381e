"""Where a hosted vendor's API is, and the key that opens it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from ftbridge.config import is_safe_url
from ftbridge.errors import ConfigError
from ftbridge.model import Frozen

INSECURE = "FTBRIDGE_INSECURE_BASE_URL"


class Connection(Frozen):
    """`account` tells one key's files and jobs from another's without telling the key.

    Raises `ConfigError` for a key that cannot be a header, without showing it: HTTP clients do show it.
    """

    base_url: str
    api_key: SecretStr
    account: str
    environment: Mapping[str, str] = Field(default_factory=dict, repr=False)
    """What the vendor's adapter reads beside these from the environment, where that is not the process's own."""

    @field_validator("api_key")
    @classmethod
    def _can_be_sent(cls, key: SecretStr) -> SecretStr:
        _check_key(key.get_secret_value(), "the API key")
        return key


def hosted_connection(
    vendor: str, default_url: str, *, key_env: str, url_env: str, environment: Mapping[str, str] = os.environ
) -> Connection:
    """The connection that the environment gives for `vendor`.

    Raises `ConfigError` for a key that is missing or cannot be a header, never showing it, for a
    base URL that would send it in the clear, and where there is none: `default_url` may be "".
    """
    key = environment.get(key_env, "").strip()
    if not key:
        raise ConfigError(f"there is no key for {vendor}", hint=f"Set {key_env} in the environment.")
    _check_key(key, key_env)
    base_url = (environment.get(url_env) or default_url).rstrip("/")
    if not base_url:
        raise ConfigError(f"there is no address for {vendor}", hint=f"Set {url_env} in the environment.")
    _check_url(base_url, url_env)
    account = hashlib.sha256(f"{base_url}\n{key}".encode()).hexdigest()[:12]
    return Connection(base_url=base_url, api_key=SecretStr(key), account=account)


def _check_key(key: str, name: str) -> None:
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigError(
            f"{name} holds characters that no key has",
            hint="Set it again; look for line ends and quotation marks that were copied along.",
        )


def _check_url(base_url: str, url_env: str) -> None:
    if is_safe_url(base_url):
        return
    parts = urlsplit(base_url)
    if parts.scheme == "http" and parts.hostname and os.environ.get(INSECURE) == "1":
        return
    raise ConfigError(
        f"{url_env} = {base_url!r} is neither https nor this machine: the key would travel in the clear",
        hint=f"Use an https address, or pass --insecure-base-url (from Python: {INSECURE}=1) if you accept that.",
    )
