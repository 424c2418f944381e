"""Nebius' adapter, through OpenAI's SDK, against its mock over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest
from pydantic import SecretStr

from ftbridge.endpoint import Endpoint
from ftbridge.mock import MockServer
from ftbridge.provider import Provider
from ftbridge.testing import ProviderContract
from ftbridge_providers.nebius.adapter import NebiusProvider
from ftbridge_providers.nebius.mock import NebiusMock


class TestNebius(ProviderContract):
    model: ClassVar[str] = "Qwen/Qwen3-8B"

    @pytest.fixture(scope="class")
    @classmethod
    def provider(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
        home = tmp_path_factory.mktemp("home")
        with MockServer(NebiusMock(home / "mock", speed=120.0).app()) as server:
            endpoint = Endpoint(base_url=f"{server.url}/v1", api_key=SecretStr("mock-key"), account="mock")
            provider = NebiusProvider(home, endpoint)
            yield provider
            provider.close()
