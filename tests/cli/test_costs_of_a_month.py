"""`costs` on the command line: a table that can be read at 80 columns, JSON, CSV, and ? for what nobody knows."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from command_line import Cli
from ftbridge import Bridge
from ftbridge.ledger import Intent, Prepared, begin_deployment, end_deployment
from ftbridge.model import Cost, Spec, Status

AT = datetime(2026, 10, 3, 12, tzinfo=UTC)
TARGETS = {
    "openai:gpt-4.1-mini-2025-04-14": (Cost(estimate_usd=2.0, estimate_usd_high=3.0), 2.5),
    "azure:gpt-4.1-2025-04-14": (Cost(), None),
    "mock+together:meta-llama/Meta-Llama-3.1-8B-Instruct-Reference": (Cost(estimate_usd=1200.0), None),
}


@pytest.fixture
def october(home: Path) -> None:
    """Three jobs of October, one of them deployed for a day, and budgets for two vendors."""
    Path("ftbridge.toml").write_text("[budgets]\nopenai = 2\nmistral = 10\n", "utf-8")
    with Bridge(home) as bridge:
        for number, (target, (cost, actual)) in enumerate(TARGETS.items()):
            spec = Spec(target=target, data=Path("rows.jsonl"))
            intent = Intent(
                id=f"ftb_{number}",
                target=target,
                spec=spec,
                prepared=Prepared(training="k"),
                request_hash="h",
                cost=cost,
                created_at=AT,
            )
            record = bridge.ledger.add(intent)
            bridge.ledger.change(record, status=Status.SUCCEEDED, remote_id=f"r{number}", actual_usd=actual)
        row = begin_deployment(
            bridge.ledger, "ftb_1", model="m", began_at=AT, tier=None, hourly_usd=1.7, max_hours=None
        )
        end_deployment(bridge.ledger, row, AT + timedelta(days=1))


@pytest.mark.usefixtures("october")
@pytest.mark.parametrize("columns", [80, 140])
def test_a_table_with_what_is_known_and_what_is_not(here: Cli, columns: int) -> None:
    ran = here("costs", "--month", "2026-10", "--offline", columns=columns)
    assert ran.code == 0
    assert max(map(len, ran.out.splitlines())) <= columns
    lines = [line.split() for line in ran.out.splitlines() if line.strip()]
    rows = {line[0]: line[1:] for line in lines if line[0] in ("openai", "azure", "mock+together", "mistral", "total")}
    estimates = {"openai": "2.00", "azure": "?", "mock+together": "1,200.00", "mistral": "0.00", "total": ">2.00"}
    expected = {
        "mock+together": ["1", "?", "0.00", "1,200.00"],
        "azure": ["1", "?", "40.80", ">40.80"],
        "openai": ["1", "2.50", "0.00", "2.50", "2.00"],
        "mistral": ["0", "0.00", "0.00", "0.00", "10.00"],
        "total": ["2", ">2.50", "40.80", ">43.30"],
    }
    if columns == 140:
        expected = {name: [row[0], estimates[name], *row[1:]] for name, row in expected.items()}
    assert rows == expected
    assert list(rows) == list(expected)
    assert "openai is over its budget of 2.00 dollars" in ran.err
    assert "? is an unknown amount" in ran.out
    assert "Nobody pays for what mocks would cost, and the total is without it." in ran.out


@pytest.mark.usefixtures("october")
def test_long_names_are_folded_and_not_cut_at_80_columns(here: Cli) -> None:
    out = here("costs", "--month", "2026-10", "--by", "target", "--offline", columns=80).out
    assert max(map(len, out.splitlines())) <= 80
    assert "…" not in out
    begin = out.splitlines()[1].index("jobs")
    assert all(target in "".join(line[:begin].strip() for line in out.splitlines()) for target in TARGETS)


@pytest.mark.usefixtures("october")
def test_programs_get_null_for_what_is_unknown(here: Cli) -> None:
    found = here("costs", "--month", "2026-10", "--offline", "--json").json
    assert (found["month"], found["by"]) == ("2026-10", "vendor")
    azure = next(row for row in found["rows"] if row["vendor"] == "azure")
    assert azure == {
        "vendor": "azure",
        "mocked": False,
        "jobs": 1,
        "own_machine_jobs": 0,
        "estimated_usd": None,
        "billed_usd": None,
        "hosting_usd": pytest.approx(40.8),
        "total_usd": None,
        "partial_total_usd": pytest.approx(40.8),
        "budget_usd": None,
    }
    assert found["total"]["total_usd"] is None
    assert found["total"]["partial_total_usd"] == pytest.approx(43.3)


@pytest.mark.usefixtures("october")
@pytest.mark.parametrize("by", ["owner", "group"])
def test_what_nobody_pays_is_apart_for_every_owner_and_group(here: Cli, by: str) -> None:
    found = here("costs", "--month", "2026-10", "--offline", "--by", by, "--json").json
    assert [(row["mocked"], row["jobs"], row["partial_total_usd"]) for row in found["rows"]] == [
        (True, 1, 1200.0),
        (False, 2, pytest.approx(43.3)),
    ]
    assert found["total"]["partial_total_usd"] == pytest.approx(43.3)
    assert "– (mocks)" in here("costs", "--month", "2026-10", "--offline", "--by", by).out


@pytest.mark.usefixtures("october")
def test_csv_has_a_line_a_row_and_nothing_for_what_is_unknown(here: Cli) -> None:
    rows = list(csv.DictReader(io.StringIO(here("costs", "--month", "2026-10", "--offline", "--csv").out)))
    assert [row["vendor"] for row in rows] == ["mock+together", "azure", "openai", "mistral"]
    assert (rows[1]["billed_usd"], rows[1]["hosting_usd"], rows[1]["total_usd"]) == ("", "40.8", "")
    assert rows[2]["budget_usd"] == "2.0"


@pytest.mark.usefixtures("october")
def test_another_month_has_its_own_costs(here: Cli) -> None:
    found = here("costs", "--month", "2026-09", "--offline", "--json").json
    assert [row["vendor"] for row in found["rows"]] == ["mistral", "openai"]  # which have budgets
    assert found["total"]["total_usd"] == 0.0


def test_where_nothing_was_spent_that_is_said(here: Cli) -> None:
    assert here("costs", "--month", "2026-09").out == "There are no costs in 2026-09.\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--month", "November"], "'November' is not a month"),
        (["--month", "2026-13"], "'2026-13' is not a month"),
        (["--by", "colour"], "costs cannot be grouped by 'colour'"),
        (["--csv", "--json"], "--csv and --json exclude each other"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_what_can(here: Cli, words: list[str], sentence: str) -> None:
    ran = here("costs", *words)
    assert ran.code == 2
    assert sentence in ran.out + ran.err


@pytest.mark.usefixtures("october")
def test_this_month_is_meant_where_none_is_named_and_hosting_is_kept_against_its_budget(
    here: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTBRIDGE_TODAY", "2026-10-20")
    Path("ftbridge.toml").write_text("[budgets]\nazure = 30\n", "utf-8")
    found = here("costs", "--offline", "--json").json
    assert found["month"] == "2026-10"
    assert next(row for row in found["rows"] if row["vendor"] == "azure")["budget_usd"] == 30
    assert "azure is over its budget of 30.00 dollars" in here("costs", "--offline").err
