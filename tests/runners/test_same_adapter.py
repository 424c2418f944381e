"""A job gives the same adapter, byte for byte, wherever it runs, and however often it is created."""

from __future__ import annotations

import json
import shutil
import sysconfig
import tomllib
import venv
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from ftbridge.dataset.canonical.example import Chat, User
from ftbridge.errors import JobNotFound
from ftbridge.model import Status
from ftbridge_local.elsewhere import HERE, ElsewhereProvider, SlurmProvider, SshProvider
from ftbridge_local.job_folder import JobFolder
from ftbridge_local.models.tiny import base as tiny
from ftbridge_local.runners.look import NEEDED
from ftbridge_local.runners.tables import SlurmTable, SshTable
from runners.same_job import ADAPTER, train, write_rows_of_job
from runners.slurm_cluster import SlurmCluster
from runners.ssh_server import HOST, SshServer

_OF_THE_HUB = ("httpx", "typer", "rich")  # which transformers brings along


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rows_of_job(tmp_path_factory.mktemp("rows") / "rows.jsonl")


@pytest.fixture
def own_home(home: Path, tiny_home: Path) -> Path:
    """A home with the tiny base."""
    shutil.copytree(tiny_home / "local", home / "local")
    return home


def check(provider: ElsewhereProvider, remote_id: str, out: Path, adapter: bytes) -> None:
    """The result is the expected one, its base is found here, and it answers here."""
    provider.fetch(remote_id, out)
    assert (out / ADAPTER).read_bytes() == adapter
    [checkpoint] = provider.checkpoints(remote_id)
    for model in (str(out), checkpoint.model):
        assert provider.chat(model, Chat(messages=[User(content="Say one.")]), max_tokens=4).model
    began = [event for event in provider.events(remote_id, "") if event.status is Status.VALIDATING]
    assert len(began) == 1


@pytest.fixture
def sparse_python(tmp_path: Path) -> Path:
    """A Python with what the far side needs, and nothing else that ftbridge itself does."""
    venv.create(tmp_path / "venv", with_pip=False)
    site = next((tmp_path / "venv").glob("lib/python*/site-packages"))
    (site / "more.pth").write_text(sysconfig.get_path("purelib"))
    core = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["dependencies"]
    absent = {Requirement(one).name.replace("-", "_") for one in core} - {*NEEDED, *_OF_THE_HUB}
    assert "sqlalchemy" in absent
    (site / "sitecustomize.py").write_text(f"import sys\nsys.modules.update(dict.fromkeys({sorted(absent)!r}))\n")
    return tmp_path / "venv" / "bin" / "python"


def test_over_ssh(
    ssh_server: SshServer, own_home: Path, rows: Path, tmp_path: Path, adapter: bytes, sparse_python: Path
) -> None:
    table = {**ssh_server.table, "python": str(sparse_python)}
    provider = SshProvider(own_home, runners={HOST: SshTable.read(table, {})})
    remote_id = train(provider, f"{HOST}/tiny", rows, times=3)
    check(provider, remote_id, tmp_path / "out", adapter)


def test_from_a_model_folder_that_is_sent_along(
    ssh_server: SshServer, own_home: Path, rows: Path, tmp_path: Path, adapter: bytes
) -> None:
    mine = tmp_path / "my model"
    shutil.copytree(tiny.complete_folder(own_home), mine)
    provider = SshProvider(own_home, runners={HOST: SshTable.read(ssh_server.table, {})})
    remote_id = train(provider, provider.resolve(f"{HOST}/{mine}"), rows, tag="ftb_000000000002")
    there = JobFolder(ssh_server.machine / "local" / "jobs" / "ftb_000000000002")
    shutil.rmtree(there.path / "model")  # as on another machine, its path is nothing here
    check(provider, remote_id, tmp_path / "out", adapter)
    named = json.loads((tmp_path / "out" / "adapter_config.json").read_bytes())["base_model_name_or_path"]
    assert Path(named, "model.safetensors").samefile(mine / "model.safetensors")
    assert str(there.path) not in (tmp_path / "out" / "README.md").read_text()


def test_on_slurm(slurm_cluster: SlurmCluster, own_home: Path, rows: Path, tmp_path: Path, adapter: bytes) -> None:
    shutil.copytree(own_home / "local", own_home / "runners" / "slurm" / HERE / "local")
    provider = SlurmProvider(own_home)
    remote_id = train(provider, "tiny", rows, times=3)
    check(provider, remote_id, tmp_path / "out", adapter)


def test_on_slurm_over_ssh(
    ssh_server: SshServer,
    slurm_cluster: SlurmCluster,
    own_home: Path,
    rows: Path,
    tmp_path: Path,
    adapter: bytes,
) -> None:
    config = " ".join(f"{name}={value}" for name, value in slurm_cluster.environment.items())
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec env {config} {ssh_server.table["python"]} "$@"\n')
    python.chmod(0o755)
    table = {**ssh_server.table, "kind": "slurm", "host": HOST, "python": str(python), "partition": "main"}
    provider = SlurmProvider(own_home, runners={"cluster": SlurmTable.read(table, {})})
    remote_id = train(provider, "cluster/tiny", rows, tag="ftb_000000000003", times=2)
    check(provider, remote_id, tmp_path / "out", adapter)
    with pytest.raises(JobNotFound, match="there is no job ftb_nobody"):
        provider.pause("cluster/ftb_nobody")
