"""A ledger and a scripted vendor in a folder of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftbridge.ledger import Ledger
from scripted_provider import ScriptedProvider


@pytest.fixture
def ledger(tmp_path: Path, database: str) -> Ledger:
    """In a file, and once more on a server."""
    return Ledger(tmp_path)


@pytest.fixture
def provider(tmp_path: Path) -> ScriptedProvider:
    return ScriptedProvider(tmp_path)
