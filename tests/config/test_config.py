"""What ftbridge.toml may hold, and how a typing mistake in it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftbridge import Bridge
from ftbridge.config.load import load_config
from ftbridge.config.tables import read_toml
from ftbridge.errors import ConfigError
from ftbridge.home import find_home


def configure(text: str) -> None:
    (Path.cwd() / "ftbridge.toml").write_text(text, "utf-8")


@pytest.mark.parametrize(
    ("text", "what", "meant"),
    [
        ("[targts]\nsmall = 'local:tiny'", r"no table \[targts\]", "targets"),
        ("[hooks.team]\nurll = 'https://example.com'", r"\[hooks.team\] has no 'urll'", "url"),
        ("[catalogue]\nfile = ['prices.toml']", r"\[catalogue\] has no 'file'", "files"),
    ],
)
def test_an_unknown_name_is_refused_with_the_one_that_was_meant(text: str, what: str, meant: str) -> None:
    configure(text)
    with pytest.raises(ConfigError, match=what) as problem:
        load_config(find_home(), print)
    assert problem.value.hint.startswith(f"Did you mean {meant!r}? ")


def test_where_no_table_is_similar_all_are_named() -> None:
    configure("[colours]\nred = 1")
    with pytest.raises(ConfigError) as problem:
        load_config(find_home(), print)
    assert problem.value.hint == "The tables are: targets, catalogue, budgets, limits, hooks, providers, runners."


@pytest.mark.parametrize("table", ["budgets", "limits"])
@pytest.mark.parametrize(("name", "meant"), [("togehter", "together"), ("mock+opnai", "mock+openai")])
def test_a_budget_or_limit_of_an_unknown_provider_is_refused(table: str, name: str, meant: str) -> None:
    configure(f'[{table}]\nopenai = 5\n"{name}" = 5\n')
    with pytest.raises(ConfigError, match="is not a provider") as problem:
        Bridge()
    assert problem.value.hint.startswith(f"Did you mean {meant!r}? ")


def test_every_provider_and_every_mock_may_have_a_budget() -> None:
    configure('[budgets]\nopenai = 5\n"mock+openai" = 5\nlocal = 0\n')
    with Bridge() as bridge:
        assert set(bridge.config.budgets) == {"openai", "mock+openai", "local"}


@pytest.mark.parametrize(
    "text",
    [
        '[catalogue]\nfiles = ["a\\u0000b"]',
        '[targets]\nx = "local:./a\\u0000b"',
        '[hooks.x]\ncommand = ["a\\u0000b"]',
        '[targets]\n"a\\u0000b" = "local:tiny"',
    ],
)
def test_a_zero_character_is_refused_wherever_it_is(tmp_path: Path, text: str) -> None:
    file = tmp_path / "ftbridge.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=r"ftbridge.toml cannot be read: a text in it has the character U\+0000"):
        read_toml(file.read_bytes(), file)
