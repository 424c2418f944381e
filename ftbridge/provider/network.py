"""What HTTP clients take from the environment, certificates and proxies; this machine is reached without a proxy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from ftbridge.config import is_loopback
from ftbridge.errors import ConfigError, MissingExtra
from ftbridge.wording import printable

_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")
_DIRECT = ("all://localhost", "all://127.0.0.1", "all://[::1]")  # as httpx writes hosts


def client_options(url: str) -> dict[str, Any]:
    """How a client of httpx's, or of its successor httpx2, reaches `url`: this machine never through a proxy.

    Certificates that the environment names are kept for https, also on this machine.
    """
    return {"trust_env": uses_environment(url), "mounts": dict.fromkeys(_DIRECT)}


def uses_environment(url: str) -> bool:
    """Whether proxies and certificates of the environment matter for `url`."""
    parts = urlsplit(url)
    return parts.scheme != "http" or not is_loopback(parts.hostname or "")


def check_socks(url: str) -> None:
    """Raises `MissingExtra` where `url` is reached through a SOCKS proxy, and the package for that is missing."""
    if not uses_environment(url) or find_spec("socksio"):
        return
    for name, address in _proxies():
        if address.startswith("socks"):
            raise MissingExtra(
                f"{name} is a SOCKS proxy, and the package socksio that it needs is not installed",
                hint="Run `pip install 'httpx[socks]'`, or unset the variable.",
            )


def check_network_variables() -> None:
    """Raises `ConfigError` for variables that HTTP clients read and fail at: certificates, and proxies."""
    import ssl  # imported here: it is slow to import, and many commands connect to nobody

    if file := os.environ.get("SSL_CERT_FILE"):
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=file)
        except OSError as problem:
            what = f"SSL_CERT_FILE = {printable(repr(file))} holds no certificates: {problem.strerror or problem}"
            raise ConfigError(what, hint="Set it to a file of certificates in PEM, or unset it.") from None
    for name, address in _proxies():
        if not _is_proxy(address):
            raise ConfigError(
                f"{name} is not the address of a proxy",  # which may hold a password
                hint="Set it to one, such as http://proxy.example.com:3128, or unset it.",
            )


def _proxies() -> Iterator[tuple[str, str]]:
    """The variables that name a proxy, each with its address."""
    from urllib.request import getproxies  # likewise

    for scheme, address in getproxies().items():
        if scheme in ("http", "https", "all"):
            yield f"{scheme.upper()}_PROXY", address


def _is_proxy(address: str) -> bool:
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        return parts.scheme in _PROXY_SCHEMES and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
