"""What all hosted vendors have in common: an endpoint, and answers that have to be understood."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

from ftbridge.endpoint import Endpoint, hosted_endpoint
from ftbridge.provider import Provider


class HostedProvider(Provider):
    """Base of providers behind an HTTP API. `key_env` and `url_env` name its environment variables."""

    default_url: ClassVar[str]
    key_env: ClassVar[str]
    url_env: ClassVar[str]

    @cached_property
    def endpoint(self) -> Endpoint:
        """Where the vendor is; raises `ConfigError` where the environment does not say enough."""
        return self._given or hosted_endpoint(self.name, self.default_url, key_env=self.key_env, url_env=self.url_env)

    @property
    def environment(self) -> Mapping[str, str]:
        """Where the vendor's settings are read from: the process's environment, or what came with the endpoint."""
        return self._given.environment if self._given else os.environ

    @property
    def account(self) -> str:
        """One word for the key and the place."""
        return f"{self.name}/{self.endpoint.account}"
