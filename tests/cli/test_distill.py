"""What `distill` prints, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command_line import Cli
from small_data import write_rows

MOCKED = "mock+openai:gpt-4.1-mini-2025-04-14"
ROWS = [{"prompt": "one"}, {"prompt": "two"}, {"prompt": "one"}]


@pytest.fixture(autouse=True)
def prompts() -> Path:
    return write_rows(Path("prompts.jsonl"), ROWS)


def test_a_dry_run_a_run_and_the_same_again(here: Cli) -> None:
    words = ["distill", "prompts.jsonl", "--teacher", MOCKED, "--out", "my data.jsonl"]
    plan = here(*words, "--dry-run")
    assert plan.out.startswith(f"{MOCKED} would be asked 2 questions: what that costs is not known.\n1 prompt of 3 ")
    assert not Path("my data.jsonl").exists()
    made = here(*words)
    assert made.out.splitlines() == [
        "my data.jsonl: 2 rows",
        "1 prompt of 3 left out: equal to an earlier one.",
        f"{MOCKED}: 2 questions asked, 0 answers from the ledger; cost unknown.",
    ]
    assert made.err.splitlines() == [
        f"note: asking {MOCKED} 2 questions costs money, and how much is not known: the catalogue has no price",
        "Train on it:  ftbridge run 'my data.jsonl' --to TARGET",
    ]
    again = json.loads(here(*words, "--json").out)
    assert (again["rows"], again["questions"], again["answers"]["from_ledger"]) == (2, 0, 2)
    assert again["out"] == "my data.jsonl"


def test_rejects_are_counted_by_reason(here: Cli) -> None:
    made = here("distill", "prompts.jsonl", "--teacher", MOCKED, "--out", "d.jsonl", "--samples", "3")
    assert "d.rejects.jsonl: 4 answers left out: 4 same answer\n" in made.out


def test_standard_input_can_be_the_prompts(cli: Cli) -> None:
    made = cli("distill", "-", "--teacher", MOCKED, "--out", "d.jsonl", stdin='{"question": "one"}', columns=200)
    assert (made.code, "neither messages nor a prompt" in made.err) == (1, True)
    words = ["distill", "-", "--teacher", MOCKED, "--out", "d.jsonl", "--map", "question=prompt"]
    assert cli(*words, stdin='{"question": "one"}').code == 0


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (["--reasoning", "kep"], "Did you mean 'keep'?"),
        (["--system", "no.txt"], "Give --system a file"),
        (["--metric", "exct"], "Did you mean 'exact'?"),
        (["--grader", "prompts.jsonl"], "the grader is not valid"),
        (["--teacher", "nobody"], "there is no job 'nobody'"),
        (["--teacher", "nowhere:x"], "nowhere"),
    ],
)
def test_what_cannot_be_done_is_said(here: Cli, more: list[str], problem: str) -> None:
    write_rows(Path("prompts.jsonl"), [{"prompt": "one", "completion": "1"}])
    ran = here("distill", "prompts.jsonl", "--teacher", MOCKED, "--out", "d.jsonl", *more)
    assert ran.code == 2
    assert problem in ran.err
