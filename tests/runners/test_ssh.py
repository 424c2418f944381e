"""Jobs on a machine that ssh reaches: what is sent there, what is refused, and what it says when it is not there."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Any

import pytest

from ftbridge.errors import ConfigError, MissingExtra, ModelNotFound, NetworkError, NotReached, TargetError, UsageError
from ftbridge.model import Status
from ftbridge_local.elsewhere import SshProvider
from ftbridge_local.job_documents import JobSpec
from ftbridge_local.job_folder import JobFolder
from ftbridge_local.runners.ship import trainer
from ftbridge_local.runners.tables import SshTable
from runners.broken_ssh import BrokenSsh
from runners.ssh_server import HOST, SshServer


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BrokenSsh:
    ssh = BrokenSsh(tmp_path / "bin")
    monkeypatch.setenv("PATH", ssh.path)
    return ssh


def provider(home: Path, server: SshServer, **table: Any) -> SshProvider:
    home.mkdir(mode=0o700, exist_ok=True)
    return SshProvider(home, runners={HOST: SshTable.read({**server.table, **table}, {})})


def put_job(machine: Path, tag: str, status: Status) -> JobFolder:
    """A job on the machine, as another home may have begun it."""
    job = JobFolder(machine / "local" / "jobs" / tag)
    job.path.mkdir(parents=True)
    job.write_spec(JobSpec(model="tiny", base="tiny"))
    job.set_status(status)
    return job


def test_hundreds_of_jobs_are_polled_by_one_call(ssh_server: SshServer, ssh: BrokenSsh, tmp_path: Path) -> None:
    machine, tags = tmp_path / "machine", [f"ftb_{number:012}" for number in range(500)]
    for tag in tags:
        put_job(machine, tag, Status.SUCCEEDED)
    jobs = list(provider(tmp_path / "home", ssh_server, folder=str(machine)).poll([f"{HOST}/{tag}" for tag in tags]))
    assert [job.remote_id for job in jobs] == [f"{HOST}/{tag}" for tag in tags]
    assert {job.status for job in jobs} == {Status.SUCCEEDED}
    assert ssh.calls() == ["report"]


def test_the_jobs_of_another_home_are_listed(ssh_server: SshServer, tmp_path: Path) -> None:
    machine = tmp_path / "machine"
    put_job(machine, "ftb_1", Status.SUCCEEDED)
    one = provider(tmp_path / "home", ssh_server, folder=str(machine))
    [listed] = one.jobs()
    assert (listed.tag, listed.remote.remote_id, listed.model) == ("ftb_1", f"{HOST}/ftb_1", f"{HOST}/tiny")
    assert [found.remote_id for found in one.find("ftb_1")] == [f"{HOST}/ftb_1"]


def test_what_is_there_is_its_owners_alone(ssh_server: SshServer, tmp_path: Path) -> None:
    machine = tmp_path / "new machine"
    assert not list(provider(tmp_path / "home", ssh_server, folder=str(machine)).jobs())
    assert (machine / trainer()[0] / "ftbridge_local").is_dir()
    modes = {path.stat().st_mode & 0o077 for path in [machine, *machine.rglob("*")]}
    assert modes == {0}


def test_a_host_where_nobody_listens_is_not_reached(ssh_server: SshServer, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(ssh_server.config.read_text().replace(f"Port {ssh_server.port}", "Port 1"))
    with pytest.raises(NotReached, match=f"{HOST} cannot be reached by ssh: .*refused") as problem:
        provider(tmp_path / "home", ssh_server, ssh_config=str(config)).find("ftb_1")
    assert problem.value.hint == f"Once `ssh -F {config} {HOST} true` works without a question, try again."


def test_a_wrong_key_is_told_in_the_words_of_ssh(ssh_server: SshServer, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "other_key"], check=True)
    config = tmp_path / "config"
    config.write_text(ssh_server.config.read_text().replace(f"{ssh_server.folder}/user_key", f"{tmp_path}/other_key"))
    other_name = {"ssh_config": str(config), "host": f"somebody@{HOST}"}  # which has no shared connection yet
    with pytest.raises(NotReached, match="Permission denied"):
        provider(tmp_path / "home", ssh_server, **other_name).find("ftb_1")


def test_one_host_that_is_away_keeps_no_other_from_being_polled(ssh_server: SshServer, tmp_path: Path) -> None:
    machine, config = tmp_path / "machine", tmp_path / "config"
    put_job(machine, "ftb_1", Status.SUCCEEDED)
    config.write_text(ssh_server.config.read_text().replace(f"Port {ssh_server.port}", "Port 1"))
    tables = {"away": {"host": HOST, "ssh_config": str(config)}, HOST: {"folder": str(machine)}}
    runners = {name: SshTable.read({**ssh_server.table, **table}, {}) for name, table in tables.items()}
    polled = SshProvider(tmp_path, runners=runners).poll(["away/ftb_2", f"{HOST}/ftb_1"])
    assert next(polled).remote_id == f"{HOST}/ftb_1"
    with pytest.raises(NetworkError):
        next(polled)


def test_a_python_that_is_not_there_is_named(ssh_server: SshServer, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="/no/python cannot be run on gpu-box") as problem:
        provider(tmp_path / "home", ssh_server, python="/no/python").find("ftb_1")
    assert "python = " in problem.value.hint


@pytest.fixture
def bare_python(tmp_path: Path) -> Path:
    """A Python without packages."""
    venv.create(tmp_path / "venv", with_pip=False)
    return tmp_path / "venv" / "bin" / "python"


def test_where_packages_are_missing_the_command_that_installs_them_is_told(
    ssh_server: SshServer, tmp_path: Path, bare_python: Path
) -> None:
    with pytest.raises(MissingExtra, match="has no torch, transformers, peft") as problem:
        provider(tmp_path / "home", ssh_server, python=str(bare_python)).find("ftb_1")
    assert problem.value.hint.startswith(
        f"Run ssh -F {ssh_server.config} {HOST} \"{bare_python} -m pip install 'torch<3,>=2.13' "
    )


def test_the_setup_is_run_where_python_or_packages_are_missing_and_not_again(
    ssh_server: SshServer, tmp_path: Path
) -> None:
    machine = tmp_path / "machine"
    site = f"venv/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    make = f"{sys.executable} -m venv --without-pip venv && echo {sysconfig.get_path('purelib')} >{site}/more.pth"
    table = {"python": f"{machine}/venv/bin/python", "setup": f"echo ran >>ran && {make}", "folder": str(machine)}
    for name in ("first", "second"):
        assert provider(tmp_path / name, ssh_server, **table).find("ftb_1") == []
    assert (machine / "ran").read_text() == "ran\n"


def test_a_setup_that_fails_is_told_with_its_last_words(
    ssh_server: SshServer, tmp_path: Path, bare_python: Path
) -> None:
    table = {"python": str(bare_python), "setup": "echo there is no uv >&2; exit 3"}
    with pytest.raises(UsageError, match=r"setup.*there is no uv"):
        provider(tmp_path / "home", ssh_server, **table).find("ftb_1")


@pytest.mark.parametrize("model", ["tiny", "gpu-box", "gpu-box/", "/tiny", "-oProxyCommand=x/tiny", "a b/tiny"])
def test_a_target_without_host_or_model_is_refused(tmp_path: Path, model: str) -> None:
    with pytest.raises(TargetError, match="does not name a host and a model"):
        SshProvider(tmp_path).resolve(model)


def test_a_model_is_a_name_or_a_path_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    one = SshProvider(tmp_path)
    names = ["box/tiny", "box/Qwen/Qwen3-8B", "box/./mine"]
    assert [one.resolve(name, tmp_path) for name in names] == [*names[:2], f"box/{tmp_path}/mine"]
    assert one.resolve(f"box/{tmp_path}/mine") == f"box/{tmp_path}/mine"
    with pytest.raises(ModelNotFound, match="there is no folder"):
        one.token_counter("box/./nothing")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"host": "-oProxyCommand=touch /tmp/x"}, "host: it is no host"),
        ({"setup": "one\ntwo"}, "setup: it has more than one line"),
        ({"hosts": "box"}, "has no setting 'hosts'"),
        ({"token": "hf_x"}, "holds a key"),
    ],
)
def test_a_table_that_is_wrong_says_so(table: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        SshTable.read(table, {})


def test_the_far_side_gets_the_hub_s_key_and_no_other_and_no_process_shows_it(
    ssh_server: SshServer, ssh: BrokenSsh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hub-canary-1234567890")
    monkeypatch.setenv("OPENAI_API_KEY", "openai-canary-1234567890")
    machine = tmp_path / "machine"
    put_job(machine, "ftb_1", Status.PAUSED)
    ssh.record()
    one = provider(tmp_path / "home", ssh_server, folder=str(machine))
    with pytest.raises(Exception, match="no training data"):
        one.resume(f"{HOST}/ftb_1")
    list(one.poll([f"{HOST}/ftb_1"]))
    arguments, requests = ssh.recorded()
    assert "canary" not in arguments
    assert [("hub-canary" in request) for request in requests] == [True, False]
    assert "openai-canary" not in "".join(requests)
    assert not [file for file in machine.rglob("*.json*") if b"canary" in file.read_bytes()]
