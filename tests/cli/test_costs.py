"""Limits and costs on the command line, against mocked vendors."""

from __future__ import annotations

from pathlib import Path

from command_line import Cli

MINI = "mock+openai:gpt-4.1-mini-2025-04-14"
QWEN = "mock+together:Qwen/Qwen3-8B"


def test_max_cost_refuses_with_a_sentence_and_exit_code_2(here: Cli, rows: Path) -> None:
    ran = here("submit", rows, "--to", MINI, "--max-cost", "0.001", "--json")
    assert ran.code == 2
    assert ran.json["error"]["type"] == "OverBudget"
    assert "--max-cost is $0.0010" in ran.json["error"]["message"]
    assert here("jobs", "--json").json["jobs"] == []


def test_show_gives_the_estimate_against_what_was_billed(here: Cli, rows: Path) -> None:
    job = here("run", rows, "--to", QWEN, "--max-cost", "1", "--json").json
    cost = job["cost"]
    assert cost["actual_usd"] > 0
    shown = here("show", job["id"])
    assert f"estimated ${cost['estimate_usd']:.4f}; billed ${cost['actual_usd']:.4f}" in shown.out
    assert f"estimated {cost['estimate_tokens']:,}; billed {cost['billed_tokens']:,}" in shown.out
