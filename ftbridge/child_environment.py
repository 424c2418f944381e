"""The environment of processes that ftbridge starts: without keys and passwords, except those that they need."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping

from ftbridge.foreign.redaction import is_secret_name, is_secret_value
from ftbridge.plugins import declared_secrets

_PROXIES = ("http_proxy", "https_proxy", "all_proxy")  # a password in these is needed to reach anything at all


def child_environment(keep: Collection[str] = (), environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """`environment` without secrets, except the variables in `keep`.

    Known secrets are taken away, rather than known variables passed on: nobody can list what CUDA, a hub's client, a
    proxy or a user's own command reads, and a process that lacks one of these fails in ways that are hard to explain.
    Secret is what a provider declares, what is named like a key (`…_API_KEY`, `…_TOKEN`), the value of a key in use
    under whatever name, and a URL with a password.
    """
    declared = declared_secrets()

    def is_secret(name: str, value: str) -> bool:
        in_url = is_secret_value(value) and name.lower() not in _PROXIES
        return name in declared or is_secret_name(name) or in_url

    return {name: value for name, value in environment.items() if name in keep or not is_secret(name, value)}
