"""A mocked OpenAI on a real socket, its adapter, and a spec."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from ftbridge.loopback import LoopbackServer
from ftbridge.model import Hyperparameters, Spec
from ftbridge.provider.connection import Connection
from ftbridge_providers.openai.adapter import OpenAIProvider
from ftbridge_providers.openai.mock.vendor import OpenAIMock

MODEL = "gpt-4.1-mini-2025-04-14"


@pytest.fixture
def mock(tmp_path: Path) -> OpenAIMock:
    return OpenAIMock(tmp_path / "mock", speed=600.0)


@pytest.fixture
def base_url(mock: OpenAIMock) -> Iterator[str]:
    with LoopbackServer(mock.app()) as server:
        yield f"{server.url}/v1"


@pytest.fixture
def provider(tmp_path: Path, base_url: str) -> Iterator[OpenAIProvider]:
    made = OpenAIProvider(tmp_path, Connection(base_url=base_url, api_key=SecretStr("sk-canary"), account="mock"))
    yield made
    made.close()


@pytest.fixture
def spec(data: Path) -> Spec:
    return Spec(
        target=f"openai:{MODEL}",
        data=data,
        name="My tickets!",
        hyperparameters=Hyperparameters(epochs=2, batch_size=4, learning_rate_multiplier=0.5, seed=7),
    )
