"""A mocked Nebius on a real socket, its adapter, and a spec."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from ftbridge.loopback import LoopbackServer
from ftbridge.model import Hyperparameters, Spec
from ftbridge.provider.connection import Connection
from ftbridge_providers.nebius.adapter import NebiusProvider
from ftbridge_providers.nebius.mock.vendor import NebiusMock

MODEL = "Qwen/Qwen3-8B"


@pytest.fixture
def mock(tmp_path: Path) -> NebiusMock:
    return NebiusMock(tmp_path / "mock", speed=600.0)


@pytest.fixture
def base_url(mock: NebiusMock) -> Iterator[str]:
    with LoopbackServer(mock.app()) as server:
        yield f"{server.url}/v1"


@pytest.fixture
def provider(tmp_path: Path, base_url: str) -> Iterator[NebiusProvider]:
    made = NebiusProvider(tmp_path, Connection(base_url=base_url, api_key=SecretStr("sk-canary"), account="mock"))
    yield made
    made.close()


@pytest.fixture
def spec(data: Path) -> Spec:
    return Spec(
        target=f"nebius:{MODEL}",
        data=data,
        name="My tickets!",
        hyperparameters=Hyperparameters(epochs=2, batch_size=4, learning_rate=1e-4, lora_rank=16, seed=7),
    )
