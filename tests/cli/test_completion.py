"""A shell completes commands, options, jobs, targets and providers; bash as it is typed, the others as they ask."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from ftbridge.cli.completion import VARIABLE, join_at_colons
from ftbridge.model import Status
from ledger_jobs import add_job
from terminal import Terminal

_CTRL_U = "\x15"  # empties the line


def completed(shell: str, typed: str) -> list[str]:
    """What the shell gets for a line that is typed so far; bash's words are taken apart at colons."""
    asked = {VARIABLE: f"complete_{shell}", "_TYPER_COMPLETE_ARGS": typed, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    words = typed.replace(":", "\n:\n").replace(" ", "\n").removesuffix("\n" if typed.endswith(":") else "")
    asked |= {"COMP_WORDS": words, "COMP_CWORD": str(words.count("\n"))}
    done = subprocess.run(
        [sys.executable, "-m", "ftbridge"], env={**os.environ, **asked}, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


@pytest.fixture
def bash(home: Path, tmp_path: Path) -> Terminal:
    """An interactive bash that knows `ftbridge` and has its completion."""
    command = tmp_path / "bin" / "ftbridge"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m ftbridge "$@"\n')
    command.chmod(0o755)
    path = f"{command.parent}:{os.environ['PATH']}"
    return Terminal("--norc", "--noprofile", "-i", program=("bash",), environment={"PATH": path, "PS1": "> "})


def test_bash_completes_what_is_typed(bash: Terminal, home: Path) -> None:
    add_job(home, "tickets", Status.RUNNING)
    with bash as terminal:
        terminal.until(lambda shown: shown[-1] == ">")
        terminal.type('eval "$(ftbridge --show-completion)"; echo rea""dy\n')
        terminal.until(lambda shown: shown[-2:] == ["ready", ">"])
        for begun, whole in (
            ("ftbridge prep", "ftbridge prepare"),
            ("ftbridge submit x --val", "ftbridge submit x --validation"),
            ("ftbridge check x --to local:t", "ftbridge check x --to local:tiny"),
            ("ftbridge show tic", "ftbridge show tickets"),
        ):
            terminal.type(f"{begun}\t")
            terminal.until(partial(ends_with, f"> {whole}"))
            terminal.type(_CTRL_U)
            terminal.until(partial(ends_with, ">"))
        terminal.type("exit\n")
        assert terminal.ended() == 0


def ends_with(line: str, shown: list[str]) -> bool:
    return shown[-1] == line


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_and_completions(shell: str, home: Path) -> None:
    add_job(home, "tickets", Status.RUNNING)
    script = subprocess.run(
        [sys.executable, "-m", "ftbridge"],
        env={**os.environ, VARIABLE: f"source_{shell}"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert f"{VARIABLE}=complete_{shell}" in script
    found = "\n".join(completed(shell, "ftbridge watch "))
    for value in ("last", "tickets", "ftb_tickets"):
        assert value in found


def test_bash_gets_only_what_follows_the_colon() -> None:
    assert completed("bash", "ftbridge check x --to local:t") == ["tiny"]
    assert "tiny" in completed("bash", "ftbridge check x --to local:")
    assert all(not one.startswith("mock+") for one in completed("bash", "ftbridge run x --to mock+openai:"))


def test_a_name_from_the_config_is_a_target(home: Path) -> None:
    Path("ftbridge.toml").write_text('[targets]\nsupport = "local:tiny"\n')
    assert completed("fish", "ftbridge run x --to sup") == ["support\tlocal:tiny"]


def test_a_tracker_is_no_target() -> None:
    assert completed("fish", "ftbridge report last --to op") == []


def test_what_cannot_be_read_completes_nothing_and_says_nothing(home: Path) -> None:
    add_job(home, "tickets", Status.RUNNING)
    (home / "ledger.sqlite").write_bytes(b"no ledger" * 1000)
    assert completed("fish", "ftbridge show ") == []


def test_a_shell_that_leaves_words_whole_gets_whole_values() -> None:
    asked = {VARIABLE: "complete_bash", "COMP_WORDS": "ftbridge\nrun\nx\n--to\nlocal:t", "COMP_CWORD": "4"}
    before = dict(asked)
    join_at_colons(asked)
    assert asked == before
