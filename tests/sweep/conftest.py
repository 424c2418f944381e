"""The dataset of sweeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from small_data import write_rows
from sweep.swept import CHATS


@pytest.fixture
def chats(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "work" / "chats.jsonl", CHATS)
