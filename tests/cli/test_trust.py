"""`trust` shows what a project's ftbridge.toml asks for, and asks before it allows it."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from command_line import Cli
from ftbridge.config.trust import trusted_files
from ftbridge.home import find_home

ASKED = """
[providers.openai]
base_url = "https://me:canary@gateway.example/v1"
[hooks.team]
command = ["true"]
secrets = ["TEAM_TOKEN"]
[hooks.site]
url = "https://me:canary@example.com/hook"
"""


@pytest.fixture
def file() -> Path:
    file = Path.cwd() / "ftbridge.toml"
    file.write_text(ASKED, "utf-8")
    return file


def test_trust_shows_what_is_asked_for_without_passwords(file: Path, here: Cli) -> None:
    shown = here("trust", "--yes")
    assert shown.code == 0
    assert "hook team: runs true, secrets = TEAM_TOKEN\n" in shown.out
    assert "hook site: posts to https://me:***@example.com/hook" in shown.out
    assert "provider openai: base_url = https://me:***@gateway.example/v1" in shown.out
    document = here("trust", file, "--yes", "--json")
    assert document.json["hooks"]["team"] == {"command": ["true"], "secrets": ["TEAM_TOKEN"]}
    assert "canary" not in shown.out + document.out
    stored = [path.read_text() for path in (find_home() / "trusted").iterdir()]
    assert [json.loads(text)["file"] for text in stored] == [str(file)]
    assert here("trust", "--list", "--json").json["trusted"][0]["state"] == "unchanged"
    assert here("trust", "--remove").out == f"{file} is not trusted any more.\n"
    assert here("trust", "--remove", file.parent, "--json").json["removed"] is False
    assert here("trust", "--list").out == "No file is trusted.\n"


def test_trust_shows_every_table_of_the_file(here: Cli) -> None:
    tables = '[targets]\ncheap = "together:tiny"\n[budgets]\ntogether = 12.5\n[limits]\nopenai = 1\n'
    (Path.cwd() / "ftbridge.toml").write_text(tables, "utf-8")
    shown = here("trust", "--yes").out
    assert "target cheap: together:tiny\n" in shown
    assert "budget together: 12.5 USD a month\n" in shown
    assert "limit openai: 1 job at once\n" in shown
    document = here("trust", "--yes", "--json").json
    assert (document["targets"], document["budgets"], document["limits"]) == (
        {"cheap": "together:tiny"},
        {"together": 12.5},
        {"openai": 1},
    )


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["trust", "--list", "--remove"], "--list lists all files"),
        (["trust"], "there is no ftbridge.toml"),
        (["trust", "gone.toml"], "cannot be read"),
        (["trust", "/dev/zero"], "not a regular file"),
    ],
)
def test_a_request_that_makes_no_sense_gets_a_sentence(here: Cli, words: list[str], why: str) -> None:
    ran = here(*words)
    assert ran.code == 2
    assert why in ran.err


@pytest.mark.parametrize(("answer", "is_trusted"), [("y", True), ("", False), (None, False)])
def test_trust_shows_and_then_asks(
    file: Path, here: Cli, monkeypatch: pytest.MonkeyPatch, answer: str | None, is_trusted: bool
) -> None:
    typed = io.StringIO(f"{answer}\n")
    monkeypatch.setattr(typed, "isatty", lambda: answer is not None)
    monkeypatch.setattr(sys, "stdin", typed)
    ran = here("trust")
    assert ran.out.startswith(f"{file}:\nhook team: runs true")
    assert ("Trust it? [y/N]" in ran.out) == (answer is not None)
    if answer is None:
        assert ran.code == 2
        assert f"trusting {file} has to be confirmed" in ran.err
        assert "--yes" in ran.err
    assert bool(trusted_files(find_home())) == is_trusted
