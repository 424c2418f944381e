"""A scripted vendor in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripted_provider import ScriptedProvider


@pytest.fixture
def provider(tmp_path: Path) -> ScriptedProvider:
    return ScriptedProvider(tmp_path)
