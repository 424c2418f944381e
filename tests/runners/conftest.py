"""A machine that ssh reaches, and a Slurm cluster: real servers, on the loopback interface."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ftbridge_local.provider import LocalProvider
from runners import slurm_cluster as slurm_cluster_module
from runners.same_job import ADAPTER, train, write_rows_of_job
from runners.slurm_cluster import SlurmCluster
from runners.ssh_server import SshServer, find_sshd, running


@pytest.fixture(scope="session")
def ssh_server(tmp_path_factory: pytest.TempPathFactory, tiny_home: Path) -> Iterator[SshServer]:
    """The machine behind it has the tiny base already."""
    sshd = find_sshd()
    if sshd is None:
        pytest.skip("no SSH server is installed (apt-get install openssh-server)")
    with running(sshd, tmp_path_factory.mktemp("ssh")) as server:
        shutil.copytree(tiny_home / "local", server.machine / "local")
        yield server


@pytest.fixture(scope="session")
def slurm_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmCluster]:
    """A cluster of one node, whose commands this process finds."""
    if why := slurm_cluster_module.missing():
        pytest.skip(why)
    with (
        slurm_cluster_module.running(tmp_path_factory.mktemp("slurm")) as cluster,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in cluster.environment.items():
            patch.setenv(name, value)
        yield cluster


@pytest.fixture(scope="session")
def adapter(tmp_path_factory: pytest.TempPathFactory, tiny_home: Path) -> bytes:
    """The adapter that the job which is run everywhere gives on this machine."""
    home = tmp_path_factory.mktemp("local")
    shutil.copytree(tiny_home / "local", home / "local")
    provider = LocalProvider(home)
    remote_id = train(provider, "tiny", write_rows_of_job(home / "rows.jsonl"))
    return (provider.runner().folder(remote_id).result / ADAPTER).read_bytes()
