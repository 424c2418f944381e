"""The local provider passes the suite that every provider passes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import ClassVar

import pytest

from ftbridge.provider import Provider
from ftbridge.testing import ProviderContract
from ftbridge_local.adapter import LocalProvider


class TestLocal(ProviderContract):
    model: ClassVar[str] = "tiny"

    @pytest.fixture(scope="class")
    @classmethod
    def provider(cls, tmp_path_factory: pytest.TempPathFactory, tiny_home: Path) -> Provider:
        home = tmp_path_factory.mktemp("home")
        shutil.copytree(tiny_home / "local", home / "local")
        return LocalProvider(home)
