"""Mocked Together on a loopback port, and an adapter and the official SDK that talk to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from ftbridge.loopback import LoopbackServer
from ftbridge.provider import Files
from ftbridge.provider.connection import Connection
from ftbridge.testing import ROWS
from ftbridge_providers.together.adapter import TogetherProvider
from ftbridge_providers.together.mock.vendor import TogetherMock
from small_data import write_rows
from together import Together
from together_helpers import KEY


@pytest.fixture
def mock(tmp_path: Path) -> TogetherMock:
    return TogetherMock(tmp_path / "mock", speed=1000.0)


@pytest.fixture
def url(mock: TogetherMock) -> Iterator[str]:
    with LoopbackServer(mock.app()) as server:
        yield server.url


@pytest.fixture
def provider(url: str, tmp_path: Path) -> Iterator[TogetherProvider]:
    provider = TogetherProvider(tmp_path, Connection(base_url=url, api_key=SecretStr(KEY), account="mock"))
    yield provider
    provider.close()


@pytest.fixture
def sdk(url: str) -> Iterator[Together]:
    with Together(base_url=url, api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "rows.jsonl", ROWS)


@pytest.fixture
def files(provider: TogetherProvider, rows: Path) -> Files:
    return Files(training=provider.upload(rows, key="rows"))
