"""A mocked Azure OpenAI on a real socket, its adapter, and a spec."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from azure_helpers import MODEL, Listening
from ftbridge.loopback import LoopbackServer
from ftbridge.model import Hyperparameters, Spec
from ftbridge.provider.connection import Connection
from ftbridge_providers.azure.adapter import AzureProvider


@pytest.fixture
def mock(tmp_path: Path) -> Listening:
    return Listening(tmp_path / "mock", speed=600.0)


@pytest.fixture
def provider(tmp_path: Path, mock: Listening) -> Iterator[AzureProvider]:
    with LoopbackServer(mock.app()) as server:
        connection = Connection(base_url=server.url, api_key=SecretStr("canary"), account="mock")
        made = AzureProvider(tmp_path, connection, environment=mock.environment(server.url))
        yield made
        made.close()


@pytest.fixture
def spec(data: Path) -> Spec:
    return Spec(
        target=f"azure:{MODEL}",
        data=data,
        name="My tickets of the whole last year!",
        hyperparameters=Hyperparameters(epochs=2, learning_rate_multiplier=0.5, seed=7),
    )
