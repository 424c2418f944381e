"""Catalogues of the user's own: files, addresses, and rows in ftbridge.toml."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ftbridge import Bridge
from ftbridge.catalogue import fetched
from ftbridge.catalogue.read import copy_of
from ftbridge.config import Config, load_config
from ftbridge.errors import ConfigError

ROW = """
[[row]]
models = ["gpt-4.1-mini-2025-04-14"]
sft_usd_per_million_tokens = {price}
as_of = 2026-11-01
confidence = "official"
"""
NOBODY = "https://127.0.0.1:9/prices.toml"


def price(config: Config) -> float | None:
    with Bridge(config=config) as bridge:
        entry = bridge.catalogue.entry("openai", "gpt-4.1-mini-2025-04-14")
        assert entry.facts.output_usd_per_million_tokens == 3.2  # what is not said again stays
        return entry.facts.sft_usd_per_million_tokens


def test_rows_of_the_users_own_win_the_last_ones_over_all(home: Path) -> None:
    place = Path.cwd()
    assert price(load_config()) == 5.0
    (place / "one.toml").write_text('provider = "openai"' + ROW.format(price=4.0), "utf-8")
    (place / "ftbridge.toml").write_text('[catalogue]\nfiles = ["one.toml"]\n', "utf-8")
    below = place / "below"
    below.mkdir()
    os.chdir(below)  # paths are from where ftbridge.toml is
    assert price(load_config()) == 4.0
    row = ROW.format(price=3.0).replace("[[row]]", '[[catalogue.row]]\nprovider = "openai"')
    with (place / "ftbridge.toml").open("a") as file:
        file.write(row)
    assert price(load_config()) == 3.0


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://prices.example/p.toml", "neither a file nor https"),
        ("gone.toml", "cannot be read"),
        (NOBODY, "cannot be"),
    ],
)
def test_a_catalogue_that_cannot_be_had_is_named(home: Path, tmp_path: Path, address: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why) as problem:
        fetched(address, tmp_path, print)
    assert address in problem.value.message


def test_a_password_in_an_address_is_never_shown(home: Path, tmp_path: Path) -> None:
    address = NOBODY.replace("https://", "https://me:hunter2@")
    with pytest.raises(ConfigError, match="cannot be downloaded") as problem:
        fetched(address, tmp_path, print)
    assert "hunter2" not in f"{problem.value.describe()} {problem.value.__cause__}"
    copy_of(address, tmp_path).parent.mkdir()
    copy_of(address, tmp_path).write_text('provider = "openai"' + ROW.format(price=4.0), "utf-8")
    with Bridge(tmp_path, config=Config.model_validate({"catalogue": {"files": [address]}})) as bridge:
        entry = bridge.catalogue.entry("openai", "gpt-4.1-mini-2025-04-14")
    assert entry.rows["sft_usd_per_million_tokens"].source == "https://me:***@127.0.0.1:9/prices.toml"


def test_what_an_address_said_before_is_used_when_it_is_gone_and_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        fetched(NOBODY, tmp_path, print)
    said: list[str] = []
    kept = copy_of(NOBODY, tmp_path)  # as a fetch of two days ago has left it
    kept.parent.mkdir()
    kept.write_text("provider = 'openai'", "utf-8")
    two_days_ago = kept.stat().st_mtime - 2 * 86_400
    os.utime(kept, (two_days_ago, two_days_ago))
    assert fetched(NOBODY, tmp_path, said.append) == "provider = 'openai'"
    assert NOBODY in said[0]
    os.utime(kept)
    assert fetched(NOBODY, tmp_path, said.append) == "provider = 'openai'"
    assert len(said) == 1  # one of today is not asked for again


def test_a_budget_below_nothing_is_refused() -> None:
    (Path.cwd() / "ftbridge.toml").write_text("[budgets]\nopenai = -1\n", "utf-8")
    with pytest.raises(ConfigError, match=r"budgets\.openai"):
        load_config()
