"""Together's adapter, through its SDK, against its mock over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest
from pydantic import SecretStr

from ftbridge.endpoint import Endpoint
from ftbridge.mock import MockServer
from ftbridge.provider import Provider
from ftbridge.testing import ProviderContract
from ftbridge_providers.together.adapter import TogetherProvider
from ftbridge_providers.together.mock import TogetherMock


class TestTogether(ProviderContract):
    model: ClassVar[str] = "Qwen/Qwen3-8B"

    @pytest.fixture(scope="class")
    @classmethod
    def provider(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
        home = tmp_path_factory.mktemp("home")
        with MockServer(TogetherMock(home / "mock", speed=120.0).app()) as server:
            endpoint = Endpoint(base_url=server.url, api_key=SecretStr("mock-key"), account="mock")
            provider = TogetherProvider(home, endpoint)
            yield provider
            provider.close()
