"""The provider `slurm` passes the suite that every provider passes, on the login node of a real cluster."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import ClassVar

import pytest

from ftbridge.provider import Provider
from ftbridge.testing import Faults, ProviderContract
from ftbridge_local.elsewhere import HERE, SlurmProvider
from ftbridge_local.runners.tables import SlurmTable
from local.test_contract import WorkerFaults
from runners.slurm_cluster import SlurmCluster


class TestSlurm(ProviderContract):
    model: ClassVar[str] = "tiny"

    @pytest.fixture(scope="class")
    @classmethod
    def home(cls, tmp_path_factory: pytest.TempPathFactory, tiny_home: Path) -> Path:
        home = tmp_path_factory.mktemp("home")
        for folder in (home, home / "runners" / "slurm" / HERE):
            shutil.copytree(tiny_home / "local", folder / "local")
        return home

    @pytest.fixture(scope="class")
    @classmethod
    def provider(cls, home: Path, slurm_cluster: SlurmCluster) -> Provider:
        return SlurmProvider(home, runners={HERE: SlurmTable(partition="main", time=60)})

    @pytest.fixture(scope="class")
    @classmethod
    def faults(cls, home: Path) -> Faults:
        return WorkerFaults(home / "runners" / "slurm" / HERE)
