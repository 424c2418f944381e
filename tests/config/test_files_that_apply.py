"""Which ftbridge.toml applies, and how much of it: whose it is decides, and what the user has trusted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from command_line import Cli
from ftbridge import Bridge
from ftbridge.config import Config
from ftbridge.config.load import load_config
from ftbridge.config.trust import home_id, source_of
from ftbridge.errors import ConfigError
from ftbridge.home import find_home
from ftbridge.target import Target, parse_target

ALL = """
[targets]
small = "local:tiny"
[budgets]
openai = 5
[limits]
openai = 2
[providers.openai]
base_url = "https://gateway.example/v1"
[catalogue]
files = ["prices.toml"]
[hooks.team]
command = ["true"]
secrets = ["TEAM_TOKEN"]
"""
NOBODY = 65534
is_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


def loaded(warnings: list[str] | None = None) -> Config:
    return load_config(find_home(), (warnings if warnings is not None else []).append).config


@pytest.fixture
def file() -> Path:
    """A project's file of the user's own, with everything in it."""
    file = Path.cwd() / "ftbridge.toml"
    file.write_text(ALL, "utf-8")
    file.chmod(0o644)
    return file


def test_what_is_the_users_own_applies_but_for_its_hooks(file: Path) -> None:
    warnings: list[str] = []
    config = loaded(warnings)
    assert (config.targets, config.budgets, config.limits) == ({"small": "local:tiny"}, {"openai": 5}, {"openai": 2})
    assert config.providers == {"openai": {"base_url": "https://gateway.example/v1"}}
    assert config.catalogue.files == (str(file.parent / "prices.toml"),)
    assert config.hooks == {}
    [warning] = warnings
    assert f"the hooks in {file} are not called, because it is not trusted: `ftbridge trust {file}`" in warning


def give_away(file: Path) -> None:
    os.chown(file, NOBODY, NOBODY)


def open_to_all(file: Path) -> None:
    file.chmod(0o666)


def open_to_a_group(file: Path) -> None:
    os.chown(file, -1, NOBODY)
    file.chmod(0o664)


def link_of_another(file: Path) -> None:
    file.rename(file.with_name("own.toml"))
    file.symlink_to("own.toml")
    os.chown(file, NOBODY, NOBODY, follow_symlinks=False)


@is_root
@pytest.mark.parametrize("do", [give_away, open_to_all, open_to_a_group, link_of_another])
def test_what_may_be_anothers_doing_gives_targets_until_it_is_trusted(file: Path, here: Cli, do: object) -> None:
    assert callable(do)
    do(file)
    warnings: list[str] = []
    config = loaded(warnings)
    assert config.targets == {"small": "local:tiny"}
    nothing = config.model_copy(update={"targets": {}, "file": None, "origins": {}})
    assert nothing == Config()
    [warning] = warnings
    assert str(file) in warning
    assert "only its [targets] are used, not its [budgets], [limits], [providers], [catalogue], [hooks]" in warning
    assert f"`ftbridge trust {file}`" in warning
    assert here("trust", "--yes").code == 0
    assert loaded(warnings).providers
    assert len(warnings) == 1
    with file.open("a") as opened:
        opened.write("# a change\n")
    assert not loaded(warnings).providers


@is_root
def test_the_owner_is_named_and_who_calls_sudo_is_no_other(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give_away(file)
    warnings: list[str] = []
    loaded(warnings)
    assert "belongs to nobody, not to root" in warnings[0]
    monkeypatch.setenv("SUDO_UID", str(NOBODY))
    assert loaded().providers


@is_root
@pytest.mark.parametrize("text", ["[targets", "targets = 3", "[colours]\nred = 1", "x = " + "[" * 100_000, "\xff"])
def test_a_mistake_in_anothers_file_stops_nothing(file: Path, here: Cli, text: str) -> None:
    file.write_text(text, "latin-1")
    give_away(file)
    assert here("jobs").code == 0


@is_root
def test_anothers_hooks_in_the_home_are_not_run(home: Path) -> None:
    file = find_home() / "ftbridge.toml"
    file.write_text(ALL, "utf-8")
    assert set(loaded().hooks) == {"team"}
    give_away(file)
    assert loaded().hooks == {}


def pipe(file: Path) -> None:
    os.mkfifo(file)


def endless(file: Path) -> None:
    file.symlink_to("/dev/zero")


def huge(file: Path) -> None:
    file.write_bytes(b"#" * 300_000)


@pytest.mark.parametrize(
    ("do", "why"), [(pipe, "not a regular file"), (endless, "not a regular file"), (huge, "larger than 256 KiB")]
)
def test_what_has_no_end_is_not_read(here: Cli, do: object, why: str) -> None:
    assert callable(do)
    do(Path("ftbridge.toml"))
    ran = here("jobs")
    assert ran.code == 2
    assert why in ran.err


def test_the_lower_budget_or_limit_holds_and_the_projects_targets_and_settings_win(file: Path) -> None:
    home = find_home() / "ftbridge.toml"
    home.write_text(
        '[targets]\nsmall = "local:other"\nbig = "local:big"\n[budgets]\nopenai = 4\nmistral = 1\n'
        '[limits]\nopenai = 3\n[providers.openai]\nbase_url = "https://home.example"\n',
        "utf-8",
    )
    config = loaded()
    assert config.targets == {"small": "local:tiny", "big": "local:big"}
    assert (config.budgets, config.limits) == ({"openai": 4, "mistral": 1}, {"openai": 2})
    assert config.providers["openai"]["base_url"] == "https://gateway.example/v1"
    assert (config.origin("budgets", "openai"), config.origin("limits", "openai")) == (home, file)
    assert (config.origin("targets", "big"), config.origin("targets", "small")) == (home, file)


def test_the_homes_file_applies_everywhere_and_a_mistake_in_it_names_it(home: Path, tmp_path: Path) -> None:
    file = find_home() / "ftbridge.toml"
    file.write_text("[budgets]\nopnai = 4\n", "utf-8")
    with pytest.raises(ConfigError, match="opnai is not a provider") as problem:
        Bridge()
    assert str(file) in problem.value.message
    os.chdir(find_home())  # it is not the project's as well
    assert loaded().budgets == {"opnai": 4}


def test_paths_are_from_the_file_that_they_are_in(file: Path, tmp_path: Path, here: Cli, rows: Path) -> None:
    file.write_text('[targets]\nmine = "local:./my-model"\nbare = "local:models/mine"\n', "utf-8")
    (file.parent / "models" / "mine").mkdir(parents=True)
    below = file.parent / "below"
    below.mkdir()
    os.chdir(below)
    with Bridge() as bridge:
        assert bridge.target("mine").model == str(file.parent / "my-model")
        assert bridge.target("bare").model == str(file.parent / "models" / "mine")
        assert bridge.target("local:./my-model").model == str(below / "my-model")  # as typed here
    ran = here("check", rows, "--to", "mine")
    assert f"there is no folder {file.parent / 'my-model'}" in ran.err


def test_a_home_keeps_its_identifier_and_a_source_its_name(tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    for folder in (first, second):
        folder.mkdir()
    assert home_id(first) == home_id(first) != home_id(second)
    assert source_of(first, tmp_path / "x" / ".." / "f") == source_of(first, tmp_path / "f")


def test_a_target_is_never_a_name(file: Path) -> None:
    file.write_text('[targets]\n"local:tiny" = "openai:gpt-4.1"\n', "utf-8")
    with pytest.raises(ConfigError, match="'local:tiny' is no name, because it has a colon") as problem:
        loaded()
    assert str(file) in problem.value.message
    assert parse_target("local:tiny", {"local:tiny": "openai:gpt-4.1"}) == Target("local", "tiny")


@is_root
def test_anothers_file_redefines_nothing_and_its_names_are_warned_of_once(file: Path) -> None:
    file.write_text('[targets]\n"local:tiny" = "openai:gpt-4.1"\nsmall = "local:tiny"\n', "utf-8")
    give_away(file)
    assert loaded().targets == {"small": "local:tiny"}
    with Bridge() as bridge:
        assert bridge.target("local:tiny") == Target("local", "tiny")
        assert bridge.warnings == []
        for _ in range(2):
            assert bridge.target("small") == Target("local", "tiny")
        assert bridge.warnings == [
            f"small means local:tiny, as written in {file}, which belongs to nobody, not to root"
        ]


@is_root
def test_the_own_project_applies_below_anothers_nearer_file(file: Path) -> None:
    below = file.parent / "theirs" / "ftbridge.toml"
    below.parent.mkdir()
    below.write_text('[targets]\nsmall = "openai:theirs"\nbig = "openai:theirs"\n[budgets]\nopenai = 1e9\n', "utf-8")
    give_away(below)
    os.chdir(below.parent)
    config = loaded()
    assert config.targets == {"small": "local:tiny", "big": "openai:theirs"}
    assert (config.budgets, config.limits) == ({"openai": 5}, {"openai": 2})
    assert config.file == file


def test_paths_in_a_file_that_is_linked_are_from_the_file_itself(file: Path, here: Cli) -> None:
    file.write_text(
        '[targets]\nmine = "local:./my-model"\n[catalogue]\nfiles = ["prices.toml"]\n'
        '[hooks.team]\ncommand = ["./notify", "./a\\nb"]\n[hooks.other]\ncommand = ["~/notify"]\n',
        "utf-8",
    )
    (file.parent / "prices.toml").touch()
    linked = file.parent / "linked"
    linked.mkdir()
    (linked / "ftbridge.toml").symlink_to(file)
    os.chdir(linked)
    assert loaded().catalogue.files == (str(file.parent / "prices.toml"),)
    with Bridge() as bridge:
        assert bridge.target("mine").model == str(file.parent / "my-model")
    shown = here("trust", "--yes").out
    assert f"hook team: runs {file.parent / 'notify'} './a\\nb'\n" in shown
    assert f"hook other: runs {Path.home() / 'notify'}\n" in shown
