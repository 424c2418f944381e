"""Bridges whose vendors are mocked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ftbridge import Bridge
from ftbridge.config import Config
from ftbridge.mock.vendors import MockVendors


@pytest.fixture
def vendors(ftbridge_mock: MockVendors) -> MockVendors:
    return ftbridge_mock


@pytest.fixture
def open_bridge(vendors: MockVendors, tmp_path: Path) -> Iterator[Callable[..., Bridge]]:
    opened: list[Bridge] = []

    def open_one(**config: object) -> Bridge:
        (tmp_path / "home").mkdir(exist_ok=True)
        opened.append(Bridge(tmp_path / "home", config=Config.model_validate(config)))
        return opened[-1]

    yield open_one
    for bridge in opened:
        bridge.close()
