"""The day on which the tests of `compare` play."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTBRIDGE_TODAY", "2026-11-22")
