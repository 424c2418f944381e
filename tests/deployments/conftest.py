"""A vendor that serves models, and a bridge with one job there that has succeeded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ftbridge import Bridge
from serving_provider import Serving, with_a_model


@pytest.fixture
def vendor(home: Path) -> Serving:
    return Serving(home)


@pytest.fixture
def bridge(home: Path, vendor: Serving) -> Iterator[Bridge]:
    with Bridge(home) as made:
        with_a_model(made, vendor)
        yield made
