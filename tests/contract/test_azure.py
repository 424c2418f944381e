"""Azure's adapter, through OpenAI's SDK, against its mock over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest
from pydantic import SecretStr

from ftbridge.endpoint import Endpoint
from ftbridge.mock import MockServer
from ftbridge.provider import Provider
from ftbridge.testing import ProviderContract
from ftbridge_providers.azure.adapter import AzureProvider
from ftbridge_providers.azure.mock import AzureMock


class TestAzure(ProviderContract):
    model: ClassVar[str] = "gpt-4.1-mini-2025-04-14"

    @pytest.fixture(scope="class")
    @classmethod
    def provider(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
        home = tmp_path_factory.mktemp("home")
        mock = AzureMock(home / "mock", speed=120.0)
        with MockServer(mock.app()) as server:
            settings = mock.environment(server.url)
            key = SecretStr("mock-key")
            provider = AzureProvider(
                home, Endpoint(base_url=server.url, api_key=key, account="mock", environment=settings)
            )
            yield provider
            provider.close()
