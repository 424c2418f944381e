"""`ftbridge` without a word: what to do next, by what is here."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from command_line import Cli
from ftbridge.model import Status
from ledger_jobs import add_job
from terminal import Terminal


def steps(here: Cli) -> list[str]:
    ran = here(columns=80)
    assert ran.code == 0
    return re.findall(r"^  ftbridge (.*)$", ran.out, re.MULTILINE)


def test_with_nothing_here_the_demo_is_first_and_nothing_is_made(here: Cli, home: Path) -> None:
    assert steps(here) == ["demo", "check DATA.jsonl", "compare DATA.jsonl --to local:tiny"]
    assert not home.exists()


def test_a_dataset_in_the_folder_is_named_as_a_shell_needs_it(here: Cli) -> None:
    Path("my rows.jsonl").write_text(json.dumps({"text": "a"}) + "\n", "utf-8")
    Path("-x.jsonl").write_text("", "utf-8")
    named = steps(here)
    assert [shlex.split(step)[:2] for step in named] == [
        [word, "my rows.jsonl"] for word in ("check", "compare", "run")
    ]
    assert here(*shlex.split(named[0])).code == 0


def test_rows_to_train_on_come_before_rows_to_judge_by(here: Cli) -> None:
    for name in ("a_heldout.jsonl", "b_validation.jsonl", "c.jsonl"):
        Path(name).write_text(json.dumps({"text": "a"}) + "\n", "utf-8")
    assert "check c.jsonl" in steps(here)


def test_running_jobs_are_counted_and_watched_first(here: Cli, home: Path) -> None:
    add_job(home, "one", Status.RUNNING)
    add_job(home, "two", Status.QUEUED)
    ready = add_job(home, "three", Status.SUCCEEDED, minutes=1)
    assert steps(here) == ["watch", f"fetch {ready} --out my-adapter", f'chat {ready} "…"']
    assert "2 jobs have not ended" in here().out


def test_a_failed_job_is_shown_only_while_it_is_the_newest(here: Cli, home: Path) -> None:
    failed = add_job(home, "bad", Status.FAILED)
    assert steps(here)[0] == f"show {failed}"
    ready = add_job(home, "good", Status.SUCCEEDED, minutes=1)
    assert steps(here)[0] == f"fetch {ready} --out my-adapter"


def test_a_damaged_ledger_leads_to_the_doctor(here: Cli, home: Path) -> None:
    add_job(home, "one", Status.RUNNING)
    (home / "ledger.sqlite").write_bytes(b"no ledger" * 1000)
    assert steps(here)[0] == "doctor"


def test_a_shared_ledger_is_not_asked(here: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTBRIDGE_LEDGER", "postgresql+psycopg://nobody@192.0.2.1/none")
    assert steps(here)[0] == "jobs"


def test_all_of_it_fits_on_a_small_terminal(home: Path) -> None:
    add_job(home, "one", Status.RUNNING)
    add_job(home, "x" * 64, Status.SUCCEEDED)
    with Terminal() as terminal:
        assert terminal.ended() == 0
        shown = terminal.everything
    assert len(shown) <= 24
    assert shown[0] == "1 job has not ended: follow until the end:"
    assert shown[-1] == "`ftbridge --help` lists all commands, `ftbridge help` the topics."
