"""What a month has cost: what is unknown stays unknown, and an hour belongs to the month in which it was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ftbridge import Bridge
from ftbridge.config import Config
from ftbridge.costs.budgets import budget_use
from ftbridge.costs.month import Amount, Costs, total_of
from ftbridge.costs.spending import hosting_usd, hours_deployed, month_of
from ftbridge.ledger import DeploymentRecord, Intent, Prepared, begin_deployment, change_deployment, end_deployment
from ftbridge.model import Cost, Spec, Status, now
from ftbridge.target import parse_target

OPENAI, TOGETHER, AZURE = "openai:gpt-4.1-mini-2025-04-14", "together:Qwen/Qwen3-8B", "azure:gpt-4.1-2025-04-14"
NOVEMBER, OCTOBER = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def bridge(home: Path) -> Iterator[Bridge]:
    with Bridge(home, config=Config(budgets={"openai": 20.0, "together": 5.0})) as made:
        yield made


def job(
    bridge: Bridge,
    number: int,
    target: str,
    at: datetime,
    cost: Cost | None = None,
    *,
    owner: str | None = None,
    group: str | None = None,
    **fields: Any,
) -> str:
    """A job that has succeeded, unless `fields` say otherwise; its id."""
    made = bridge.ledger.add(
        Intent(
            id=f"ftb_{number:012}",
            target=target,
            spec=Spec(target=target, data=Path("rows.jsonl")),
            prepared=Prepared(training="k"),
            request_hash="h",
            cost=cost or Cost(),
            created_at=at,
            owner=owner,
            group=group,
        )
    )
    bridge.ledger.change(made, **{"status": Status.SUCCEEDED, "remote_id": f"r{number}", **fields})
    return made.job.id


def deployed(
    bridge: Bridge, job_id: str, began_at: datetime, ended_at: datetime | None, hourly_usd: float | None
) -> DeploymentRecord:
    row = begin_deployment(
        bridge.ledger, job_id, model="m", began_at=began_at, tier=None, hourly_usd=hourly_usd, max_hours=None
    )
    row = change_deployment(bridge.ledger, row, name="n")
    return end_deployment(bridge.ledger, row, ended_at) if ended_at else row


def of(rows: list[Costs], name: str | None) -> Costs:
    [found] = [row for row in rows if row.name == name]
    return found


def test_a_month_begins_and_ends_in_utc() -> None:
    assert month_of(date(2026, 11, 30)) == (NOVEMBER, datetime(2026, 12, 1, tzinfo=UTC))
    assert month_of(date(2026, 12, 1)) == (datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("began", "ended", "hours"),
    [
        (NOVEMBER + DAY, NOVEMBER + 2 * DAY, 24),
        (NOVEMBER - DAY, NOVEMBER + DAY, 24),
        (NOVEMBER - 2 * DAY, NOVEMBER - DAY, 0),
        (NOVEMBER + DAY, None, 48),
        (NOVEMBER - DAY, None, 72),
        (NOVEMBER + 4 * DAY, None, 0),
    ],
)
def test_of_a_deployment_only_the_hours_between_count(began: datetime, ended: datetime | None, hours: float) -> None:
    row = DeploymentRecord(
        job_id="j",
        number=1,
        tier=None,
        name="n",
        model="m",
        hourly_usd=1.5,
        max_hours=None,
        began_at=began,
        ended_at=ended,
    )
    assert hours_deployed(row, NOVEMBER, NOVEMBER + 3 * DAY) == hours
    assert hosting_usd(row, NOVEMBER, NOVEMBER + 3 * DAY) == 1.5 * hours
    unknown = row.model_copy(update={"hourly_usd": None})
    assert hosting_usd(unknown, NOVEMBER, NOVEMBER + 3 * DAY) is None


def test_each_job_counts_at_what_is_billed_or_at_the_upper_end_of_its_estimate(bridge: Bridge) -> None:
    estimate = Cost(estimate_usd=2.0, estimate_usd_high=3.0)
    job(bridge, 1, OPENAI, NOVEMBER, estimate, actual_usd=2.5)
    job(bridge, 2, OPENAI, NOVEMBER + DAY, estimate)
    row = of(bridge.costs(NOVEMBER.date()), "openai")
    assert (row.jobs, row.estimated.usd, row.billed, row.total.usd) == (
        2,
        4.0,
        Amount(usd=None, partial_total_usd=2.5),
        5.5,
    )
    assert row.budget_usd == 20.0


def test_tokens_that_were_billed_count_at_the_catalogues_price(bridge: Bridge) -> None:
    job(bridge, 1, TOGETHER, NOVEMBER, billed_tokens=100_000_000)
    price = bridge.catalogue.entry("together", "Qwen/Qwen3-8B").facts.sft_usd_per_million_tokens
    assert price
    assert of(bridge.costs(NOVEMBER.date()), "together").billed.usd == pytest.approx(100 * price)


def test_what_is_unknown_is_not_nothing_and_makes_the_sum_unknown(bridge: Bridge) -> None:
    job(bridge, 1, AZURE, NOVEMBER)
    job(bridge, 2, AZURE, NOVEMBER, actual_usd=4.0)
    row = of(bridge.costs(NOVEMBER.date()), "azure")
    assert (row.estimated.usd, row.billed, row.total) == (
        None,
        Amount(usd=None, partial_total_usd=4.0),
        Amount(usd=None, partial_total_usd=4.0),
    )
    assert total_of(bridge.costs(NOVEMBER.date())).total == Amount(usd=None, partial_total_usd=4.0)


def test_hours_count_in_their_months_whenever_the_job_was_made(bridge: Bridge) -> None:
    made = job(bridge, 1, AZURE, OCTOBER, actual_usd=10.0)
    deployed(bridge, made, NOVEMBER - DAY, NOVEMBER + 2 * DAY, 1.5)
    deployed(bridge, made, NOVEMBER + 5 * DAY, NOVEMBER + 6 * DAY, 1.0)
    october, november = (of(bridge.costs(day.date()), "azure") for day in (OCTOBER, NOVEMBER))
    assert (october.jobs, october.billed.usd, october.hosting.usd, october.total.usd) == (1, 10.0, 36.0, 46.0)
    assert (november.jobs, november.billed.usd, november.hosting.usd, november.total.usd) == (0, 0.0, 96.0, 96.0)
    assert budget_use(bridge, "azure", NOVEMBER.date(), bridge.ledger.jobs()).spent_usd == 96.0


def test_what_is_deployed_counts_up_to_now_and_not_to_the_months_end(bridge: Bridge) -> None:
    made = job(bridge, 1, AZURE, NOVEMBER, actual_usd=0.0)
    at = now()
    deployed(bridge, made, at - timedelta(hours=1), None, 2.0)
    begins, _ends = month_of(at.date())
    since = max(begins, at - timedelta(hours=1))
    expected = 2.0 * (at - since).total_seconds() / 3600
    assert of(bridge.costs(at.date()), "azure").hosting.partial_total_usd == pytest.approx(expected, abs=0.02)


def test_an_unknown_price_of_an_hour_makes_hosting_unknown(bridge: Bridge) -> None:
    made = job(bridge, 1, AZURE, NOVEMBER, actual_usd=1.0)
    deployed(bridge, made, NOVEMBER, NOVEMBER + DAY, None)
    row = of(bridge.costs(NOVEMBER.date()), "azure")
    assert (row.hosting.usd, row.total) == (None, Amount(usd=None, partial_total_usd=1.0))


def test_jobs_that_never_reached_a_vendor_and_those_of_this_machine_cost_nothing(bridge: Bridge) -> None:
    job(bridge, 1, OPENAI, NOVEMBER, Cost(estimate_usd=9.0), status=Status.FAILED, remote_id=None)
    job(bridge, 2, "local:tiny", NOVEMBER)
    rows = bridge.costs(NOVEMBER.date())
    assert of(rows, "openai").jobs == 0
    local = of(rows, "local")
    assert (local.jobs, local.own_machine_jobs, local.total.usd) == (1, 1, 0.0)


def test_the_same_money_by_target_owner_and_group(bridge: Bridge) -> None:
    job(bridge, 1, OPENAI, NOVEMBER, actual_usd=1.0, owner="ada", group="support")
    made = job(bridge, 2, AZURE, NOVEMBER, actual_usd=2.0, owner="ada")
    job(bridge, 3, AZURE, NOVEMBER, actual_usd=4.0, owner="grace", group="support")
    deployed(bridge, made, NOVEMBER, NOVEMBER + DAY, 0.5)
    day = NOVEMBER.date()

    def sums(rows: list[Costs]) -> dict[str | None, tuple[int, float | None, float | None]]:
        return {row.name: (row.jobs, row.hosting.usd, row.total.usd) for row in rows}

    assert sums(bridge.costs(day, by="target")) == {AZURE: (2, 12.0, 18.0), OPENAI: (1, 0.0, 1.0)}
    assert sums(bridge.costs(day, by="owner")) == {"ada": (2, 12.0, 15.0), "grace": (1, 0.0, 4.0)}
    assert sums(bridge.costs(day, by="group")) == {None: (1, 12.0, 14.0), "support": (2, 0.0, 5.0)}
    assert all(row.budget_usd is None for row in bridge.costs(day, by="owner"))  # budgets are the vendors'


def test_a_budget_is_shown_where_nothing_was_spent(bridge: Bridge) -> None:
    assert [(row.name, row.jobs, row.total.usd, row.budget_usd) for row in bridge.costs(NOVEMBER.date())] == [
        ("openai", 0, 0.0, 20.0),
        ("together", 0, 0.0, 5.0),
    ]


def test_a_model_whose_provider_is_not_installed_any_more_has_unknown_prices(bridge: Bridge) -> None:
    entry = bridge.entry(parse_target("gone:model"))
    assert entry.facts.sft_usd_per_million_tokens is None
