"""OpenAI's adapter, through its SDK, against its mock over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest
from pydantic import SecretStr

from ftbridge.endpoint import Endpoint
from ftbridge.mock import MockServer
from ftbridge.provider import Provider
from ftbridge.testing import ProviderContract
from ftbridge_providers.openai.adapter import OpenAIProvider
from ftbridge_providers.openai.mock import OpenAIMock


class TestOpenAI(ProviderContract):
    model: ClassVar[str] = "gpt-4.1-mini-2025-04-14"

    @pytest.fixture(scope="class")
    @classmethod
    def provider(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
        home = tmp_path_factory.mktemp("home")
        with MockServer(OpenAIMock(home / "mock", speed=120.0).app()) as server:
            endpoint = Endpoint(base_url=f"{server.url}/v1", api_key=SecretStr("mock-key"), account="mock")
            provider = OpenAIProvider(home, endpoint)
            yield provider
            provider.close()
