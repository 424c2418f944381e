"""Mistral's adapter, by its SDK and by hand, against its mock over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest
from pydantic import SecretStr

from ftbridge.endpoint import Endpoint
from ftbridge.mock import MockServer
from ftbridge.provider import Provider
from ftbridge.testing import ProviderContract
from ftbridge_providers.mistral.adapter import MistralProvider
from ftbridge_providers.mistral.mock import MistralMock


class QuickLooks(MistralProvider):
    """Looks at a job that is validated in a fraction of a second more than once in it."""

    look_seconds: ClassVar[float] = 0.05


class TestMistral(ProviderContract):
    model: ClassVar[str] = "open-mistral-nemo"

    @pytest.fixture(scope="class")
    @classmethod
    def provider(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
        home = tmp_path_factory.mktemp("home")
        with MockServer(MistralMock(home / "mock", speed=120.0).app()) as server:
            endpoint = Endpoint(base_url=server.url, api_key=SecretStr("mock-key"), account="mock", configured=True)
            provider = QuickLooks(home, endpoint)
            yield provider
            provider.close()
