"""A mocked Mistral on a real socket, an adapter that looks at its jobs often, and a spec."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import SecretStr

from ftbridge.loopback import LoopbackServer
from ftbridge.model import Hyperparameters, Spec
from ftbridge.provider import Files
from ftbridge.provider.connection import Connection
from ftbridge_providers.mistral.adapter import MistralProvider
from ftbridge_providers.mistral.mock.vendor import MistralMock

MODEL = "open-mistral-nemo"


class QuickLooks(MistralProvider):
    look_seconds: ClassVar[float] = 0.01


@pytest.fixture
def mock(tmp_path: Path) -> MistralMock:
    return MistralMock(tmp_path / "mock", speed=1200.0)


@pytest.fixture
def base_url(mock: MistralMock) -> Iterator[str]:
    with LoopbackServer(mock.app()) as server:
        yield server.url


@pytest.fixture
def connection(base_url: str) -> Connection:
    return Connection(base_url=base_url, api_key=SecretStr("canary-key"), account="mock")


@pytest.fixture
def provider(tmp_path: Path, connection: Connection) -> Iterator[MistralProvider]:
    made = QuickLooks(tmp_path, connection)
    yield made
    made.close()


@pytest.fixture
def spec(data: Path) -> Spec:
    hyperparameters = Hyperparameters(
        epochs=2, learning_rate=2e-4, weight_decay=0.05, warmup_ratio=0.1, max_seq_length=4096
    )
    return Spec(target=f"mistral:{MODEL}", data=data, hyperparameters=hyperparameters)


@pytest.fixture
def files(provider: MistralProvider, data: Path) -> Files:
    return Files(training=provider.upload(data, key="k1"))
