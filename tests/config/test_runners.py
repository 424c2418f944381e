"""`[runners.NAME]`: where jobs run elsewhere; what of it needs trust, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from command_line import Cli
from ftbridge import Bridge
from ftbridge.config.load import load_config
from ftbridge.errors import ConfigError
from ftbridge.home import find_home

PLAIN = '[runners.box]\nkind = "ssh"\nhost = "alice@192.0.2.1"\n'
COMMANDING = '[runners.lab]\nkind = "slurm"\nsetup = "touch here"\n'


def project(text: str, mode: int = 0o644) -> Path:
    file = Path.cwd() / "ftbridge.toml"
    file.write_text(text, "utf-8")
    file.chmod(mode)
    return file


def test_the_homes_runners_count_all(home: Path) -> None:
    find_home()
    (home / "ftbridge.toml").write_text(PLAIN + COMMANDING, "utf-8")
    assert {*load_config(home, pytest.fail).config.runners} == {"box", "lab"}


@pytest.mark.parametrize("key", ["python", "setup", "ssh_config", "options"])
def test_a_projects_runner_that_can_run_commands_counts_once_it_is_trusted(here: Cli, key: str) -> None:
    value = '["--wrap=touch here"]' if key == "options" else '"touch here"'
    file = project(f'{PLAIN}[runners.lab]\nkind = "slurm"\n{key} = {value}\n')
    warnings: list[str] = []
    assert {*load_config(find_home(), warnings.append).config.runners} == {"box"}
    [warning] = warnings
    assert f"the runners lab in {file} can run commands, and are left out, because it is not trusted" in warning
    shown = here("trust", "--yes")
    assert f"runner lab: {key} = " in shown.out
    assert {*load_config(find_home(), pytest.fail).config.runners} == {"box", "lab"}


def test_a_file_that_others_can_change_names_no_runner() -> None:
    project(PLAIN, mode=0o666)
    warnings: list[str] = []
    assert load_config(find_home(), warnings.append).config.runners == {}
    assert "only its [targets] are used, not its [runners]" in warnings[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[runners.box]\nhost = "a"\n', r"\[runners.box\] has no kind"),
        ('[runners.box]\nkind = "teleport"\n', r"\[runners.box\] kind = 'teleport' is not known"),
    ],
)
def test_a_runner_needs_a_kind_that_is_known(text: str, said: str) -> None:
    project(text)
    with pytest.raises(ConfigError, match=said):
        Bridge()


def test_a_key_that_a_kind_does_not_have_is_named_with_its_file() -> None:
    file = project('[runners.box]\nkind = "ssh"\npartition = "gpu"\n')
    with Bridge() as bridge, pytest.raises(ConfigError, match=r"\[runners.box\] has no setting 'partition'") as problem:
        bridge.target("ssh:box/tiny")
    assert str(file) in problem.value.message
    assert "host, ssh_config, python, folder, setup" in problem.value.hint


def test_a_runner_of_another_kind_is_no_host_of_this_one(home: Path) -> None:
    project(COMMANDING.replace("setup", "partition"))
    with Bridge() as bridge:
        assert str(bridge.target("slurm:lab/tiny")) == "slurm:lab/tiny"
    assert not (home / "runners").exists()


def test_a_path_in_a_runner_is_from_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    find_home()
    folder = Path(os.environ["FTBRIDGE_HOME"])
    (folder / "ftbridge.toml").write_text('[runners.box]\nkind = "ssh"\nssh_config = "my_config"\n', "utf-8")
    with Bridge() as bridge:
        provider = bridge.provider(bridge.target("ssh:box/tiny"))
    assert provider._tables["box"].ssh_config == folder / "my_config"  # type: ignore[attr-defined]
