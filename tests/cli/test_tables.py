"""Tables can be read at 80 columns as at 200: no name, date or price is cut, and no line is longer."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len

from command_line import Cli
from ftbridge import Bridge
from ftbridge.cli.job_status import short_time
from ftbridge.cli.output import console, table
from ftbridge.cli.submit import option_name
from ftbridge.jobs.request.identity import make_intent
from ftbridge.ledger import Prepared
from ftbridge.model import Cost, Hyperparameters, Spec, Status, now

NAMES = {
    "openai:gpt-4.1-mini-2025-04-14": None,
    "mock+together:meta-llama/Meta-Llama-3.1-8B-Instruct-Reference": "answers-to-tickets-of-the-second-quarter",
    "local:tiny": "first",
}


@pytest.fixture
def jobs(home: Path) -> list[str]:
    """Their ids: one that runs, one that has succeeded, and one that was refused."""
    with Bridge(home) as bridge:
        ids = []
        for number, (target, name) in enumerate(NAMES.items()):
            intent = make_intent(
                Spec(target=target, data=Path("rows.jsonl"), name=name), Prepared(training="k"), None, Cost()
            )
            record = bridge.ledger.add(intent)
            status = [Status.CANCELLED, Status.SUCCEEDED, Status.FAILED][number]
            created = datetime(now().year, 11, 20, 12, tzinfo=UTC) + timedelta(days=number)
            bridge.ledger.change(record, status=status, created_at=created)
            ids.append(record.job.id)
    return ids


@pytest.mark.parametrize("columns", [80, 200])
def test_jobs_can_be_read(here: Cli, jobs: list[str], columns: int) -> None:
    out = here("jobs", columns=columns).out
    header, _rule, *lines = [line for line in out.splitlines() if line.strip()]
    assert max(map(len, out.splitlines())) <= columns
    assert "…" not in out
    begin, end = header.index("name and target"), header.index("status")
    folded = "".join(line[begin:end].strip() for line in lines)
    for target, name in NAMES.items():
        assert target in folded
        assert (name or "") in folded
    rows = [line for line in lines if line.strip().startswith("ftb_")]
    assert [line.split()[0] for line in rows] == jobs
    assert len(lines) == len(rows) or columns == 80
    for row, status, day in zip(rows, ("cancelled", "succeeded", "failed"), ("11-20", "11-21", "11-22"), strict=True):
        assert row[end:].startswith(status)
        assert row[header.index("created") :].startswith(day)
    assert ("loss" in header) is (columns == 200)


@pytest.mark.parametrize("columns", [36, 60, 80, 200])
@pytest.mark.parametrize("fold", [0, None])
def test_no_number_date_or_id_is_cut_however_narrow_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int, fold: int | None
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    console.cache_clear()
    kept = ["1,234,567.89", "12,345,678,901", "ftb_0123456789ab", "2026-11-29"]
    rows = [["日本語の名前 of-a-model", *kept], ["evil\x9b31m\u202e", *reversed(kept)]]
    console().print(table(["name and target", "billed $", "tokens", "job", "ends"], rows, right=(1, 2), fold=fold))
    console.cache_clear()
    out = capsys.readouterr().out
    assert all(out.split().count(value) == 2 for value in kept)
    assert max(map(cell_len, out.splitlines())) <= columns
    assert "…" not in out
    assert "\x9b" not in out
    assert "\u202e" not in out


def test_a_short_time_of_another_year_is_its_day() -> None:
    at = now().astimezone().replace(hour=12)
    assert short_time(at) == f"{at:%m-%d} {at:%H:%M}"
    assert short_time(at - timedelta(days=366)) == f"{at - timedelta(days=366):%Y-%m-%d}"


@pytest.mark.parametrize("columns", [80, 200])
def test_providers_are_told_in_words_that_can_be_typed(here: Cli, columns: int) -> None:
    out = here("providers", columns=columns).out
    assert max(map(len, out.splitlines())) <= columns
    commands = re.findall(r"commands: (.*(?:\n    .*)*)", out)
    assert len(commands) >= 6
    for word in {word for line in commands for word in re.split(r",\s+", line)}:
        assert here(*word.split(), "--help").code == 0, word
    for option in set(re.findall(r"--[a-z-]+", out)):
        assert any(option in here(command, "--help", columns=200).out for command in ("submit", "check")), option


def test_a_long_target_is_shown_whole_at_80_columns(here: Cli, jobs: list[str]) -> None:
    out = here("show", jobs[1], columns=80).out
    assert max(map(len, out.splitlines())) <= 80
    assert f"target   {list(NAMES)[1]}" in " ".join(out.split()).replace("target ", "target   ").replace("- ", "-")


@pytest.mark.parametrize("command", ["submit", "run", "compare", "migrate"])
def test_help_says_of_every_hyperparameter_what_it_does(here: Cli, command: str) -> None:
    help_text = here(command, "--help", columns=200).out
    assert "default: the provider's choice" in help_text
    for name, field in Hyperparameters.model_fields.items():
        [line] = [line for line in help_text.splitlines() if f" {option_name(name)} " in line]
        assert field.description
        assert field.description in line
