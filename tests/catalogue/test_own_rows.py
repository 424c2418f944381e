"""Catalogues of the user's own: files, addresses, and rows in ftbridge.toml."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from command_line import Cli
from ftbridge import Bridge
from ftbridge.catalogue import own_rows, read
from ftbridge.catalogue.read import copy_of
from ftbridge.config.load import load_config
from ftbridge.errors import ConfigError
from ftbridge.home import find_home

ROW = """
[[row]]
models = ["gpt-4.1-mini-2025-04-14"]
sft_usd_per_million_tokens = {price}
as_of = 2026-11-01
confidence = "official"
"""
NOBODY = "https://127.0.0.1:9/prices.toml"


def price() -> float | None:
    with Bridge() as bridge:
        entry = bridge.catalogue.entry("openai", "gpt-4.1-mini-2025-04-14")
        assert entry.facts.output_usd_per_million_tokens == 3.2  # what is not said again stays
        return entry.facts.sft_usd_per_million_tokens


def test_rows_of_the_users_own_win_the_last_ones_over_all(home: Path) -> None:
    place = Path.cwd()
    assert price() == 5.0
    (place / "one.toml").write_text('provider = "openai"' + ROW.format(price=4.0), "utf-8")
    (place / "ftbridge.toml").write_text('[catalogue]\nfiles = ["one.toml"]\n', "utf-8")
    below = place / "below"
    below.mkdir()
    os.chdir(below)  # paths are from where ftbridge.toml is
    assert price() == 4.0
    row = ROW.format(price=3.0).replace("[[row]]", '[[catalogue.row]]\nprovider = "openai"')
    with (place / "ftbridge.toml").open("a") as file:
        file.write(row)
    assert price() == 3.0


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://prices.example/p.toml", "neither a file nor https"),
        ("gone.toml", "cannot be read"),
        ("/dev/zero", "not a regular file"),
        ("pipe", "not a regular file"),
        ("large.toml", "larger than 4096 KiB"),
        ("deep.toml", "not valid TOML"),
        ("word.toml", "no list of rows"),
    ],
)
def test_a_catalogue_that_cannot_be_read_is_named(tmp_path: Path, address: str, why: str) -> None:
    os.mkfifo("pipe")
    Path("large.toml").write_bytes(b"#" * (4 * 1024 * 1024 + 1))
    Path("deep.toml").write_text("row = " + "[" * 100_000, "utf-8")
    Path("word.toml").write_text("row = 'one'", "utf-8")
    with pytest.raises(ConfigError, match=why) as problem:
        own_rows(address, tmp_path, print)
    assert address in problem.value.message


def test_a_password_in_an_address_is_never_shown(tmp_path: Path) -> None:
    address = NOBODY.replace("https://", "https://me:hunter2@")
    messages: list[str] = []
    assert own_rows(address, tmp_path, messages.append) == ()
    assert "cannot be downloaded" in messages[0]
    copy_of(address, tmp_path).write_text('provider = "openai"' + ROW.format(price=4.0), "utf-8")
    [row] = own_rows(address, tmp_path, messages.append)
    assert row.source == "https://me:***@127.0.0.1:9/prices.toml"
    assert "hunter2" not in f"{messages}"


def test_a_copy_is_used_for_a_day_and_where_the_address_does_not_answer(tmp_path: Path) -> None:
    messages: list[str] = []
    kept = copy_of(NOBODY, tmp_path)  # as a download of two days ago has left it
    kept.parent.mkdir()
    kept.write_text('provider = "openai"' + ROW.format(price=4.0), "utf-8")
    two_days_ago = kept.stat().st_mtime - 2 * 86_400
    os.utime(kept, (two_days_ago, two_days_ago))
    [row] = own_rows(NOBODY, tmp_path, messages.append)
    assert row.sft_usd_per_million_tokens == 4.0
    assert NOBODY in messages[0]
    os.utime(kept)
    assert own_rows(NOBODY, tmp_path, messages.append) == (row,)
    assert len(messages) == 1  # one of today is not asked for again


class Dripping:
    """Stands for an answer of one byte now and then, which urllib's own time-out never ends."""

    url = NOBODY

    def read(self, _size: int) -> bytes:
        time.sleep(5)
        return b""

    def __enter__(self) -> Dripping:
        return self

    def __exit__(self, *_: object) -> None:
        return


class Endless(Dripping):
    """One of any number of bytes."""

    def read(self, size: int) -> bytes:
        return b"#" * size


class Junk(Dripping):
    """One that is no catalogue."""

    def read(self, size: int) -> bytes:
        return b"<html>"


@pytest.mark.parametrize(
    ("answer", "why"),
    [(None, "urlopen error"), (Dripping, "within"), (Endless, "larger than 4 MiB"), (Junk, "not valid TOML")],
)
def test_an_address_that_gives_no_catalogue_stops_no_job(
    here: Cli, home: Path, rows: Path, monkeypatch: pytest.MonkeyPatch, answer: type[Dripping] | None, why: str
) -> None:
    if answer:
        monkeypatch.setattr(read, "_TIMEOUT", 0.3)
        monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: answer())
    address = NOBODY.replace("//", "//me:canary@")
    Path("ftbridge.toml").write_text(f'[catalogue]\nfiles = ["{address}"]\n', "utf-8")
    ran = here("catalogue", "--json")
    assert ran.code == 0
    assert ran.json["models"]
    [warning] = [line for line in ran.err.splitlines() if "127.0.0.1:9" in line]
    assert why in warning
    assert "left out" in warning
    assert "canary" not in ran.err
    assert not copy_of(address, home).exists()


def test_a_budget_below_nothing_is_refused() -> None:
    (Path.cwd() / "ftbridge.toml").write_text("[budgets]\nopenai = -1\n", "utf-8")
    with pytest.raises(ConfigError, match=r"budgets\.openai"):
        load_config(find_home(), print)


def test_an_address_that_does_not_answer_is_asked_once_in_an_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, messages = list[str](), list[str]()

    def drop(address: str) -> bytes:
        asked.append(address)
        raise TimeoutError("timed out")

    monkeypatch.setattr(read, "_read_url", drop)
    for _command in range(3):
        assert own_rows(NOBODY, tmp_path, messages.append) == ()
    assert len(asked) == 1
    assert messages == [
        f"the catalogue {NOBODY} cannot be downloaded (timed out): its models are left out, and in an hour it is tried"
        " again"
    ]
    [failed] = tmp_path.glob("catalogues/*.failed")
    an_hour_ago = failed.stat().st_mtime - 3600
    os.utime(failed, (an_hour_ago, an_hour_ago))
    own_rows(NOBODY, tmp_path, messages.append)
    assert len(asked) == 2
