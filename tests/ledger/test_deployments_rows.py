"""What the ledger keeps of deployed models: a row before the vendor is asked, and its end when it is gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ftbridge.ledger import (
    DeploymentRecord,
    Ledger,
    adopt_deployment,
    begin_deployment,
    change_deployment,
    deployments_of,
    deployments_since,
    end_deployment,
    forget_deployment,
    open_deployments,
    succeeded_targets,
)
from ftbridge.model import Status
from ledger_rows import add

AT = datetime(2026, 11, 3, 14, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


def begun(ledger: Ledger, job_id: str = "ftb_aaaa", at: datetime = AT) -> DeploymentRecord:
    return begin_deployment(ledger, job_id, model="m", began_at=at, tier="standard", hourly_usd=1.7, max_hours=24.0)


def test_another_process_sees_what_may_be_deployed_before_the_vendor_has_answered(
    ledger: Ledger, tmp_path: Path
) -> None:
    add(ledger)
    row = begun(ledger)
    assert row == DeploymentRecord(
        job_id="ftb_aaaa",
        number=1,
        tier="standard",
        name=None,
        model="m",
        hourly_usd=1.7,
        max_hours=24.0,
        began_at=AT,
        ended_at=None,
    )
    assert open_deployments(Ledger(tmp_path)) == [row]


def test_a_deployment_ends_once_and_the_next_one_has_the_next_number(ledger: Ledger) -> None:
    add(ledger)
    add(ledger, "ftb_bbbb")
    first = change_deployment(ledger, begun(ledger), name="n")
    assert end_deployment(ledger, first, AT + HOUR).ended_at == AT + HOUR
    assert end_deployment(ledger, first, AT + 2 * HOUR).ended_at == AT + HOUR
    assert begun(ledger, at=AT + 3 * HOUR).number == 2
    assert begun(ledger, "ftb_bbbb").number == 1
    assert [(row.number, row.ended_at) for row in deployments_of(ledger, "ftb_aaaa")] == [(1, AT + HOUR), (2, None)]
    assert [row.job_id for row in open_deployments(ledger)] == ["ftb_bbbb", "ftb_aaaa"]


def test_only_what_the_vendor_never_had_is_forgotten(ledger: Ledger) -> None:
    add(ledger)
    unknown, confirmed = begun(ledger), change_deployment(ledger, begun(ledger), name="n")
    forget_deployment(ledger, unknown)
    forget_deployment(ledger, confirmed)
    assert deployments_of(ledger, "ftb_aaaa") == [confirmed]


def test_what_two_looks_have_found_is_written_down_once_and_again_after_its_end(ledger: Ledger) -> None:
    add(ledger)
    for _look in range(2):
        adopt_deployment(ledger, "ftb_aaaa", name="n", began_at=AT, model="m", tier=None, hourly_usd=None)
    [row] = deployments_of(ledger, "ftb_aaaa")
    assert (row.name, row.hourly_usd, row.max_hours) == ("n", None, None)
    end_deployment(ledger, row, AT + HOUR)
    adopt_deployment(ledger, "ftb_aaaa", name="n", began_at=AT + 2 * HOUR, model="m", tier=None, hourly_usd=None)
    assert [row.number for row in deployments_of(ledger, "ftb_aaaa")] == [1, 2]


def test_of_a_month_there_is_what_has_ended_in_it_and_what_goes_on(ledger: Ledger) -> None:
    add(ledger)
    before, within = begun(ledger), begun(ledger)
    end_deployment(ledger, before, AT + HOUR)
    end_deployment(ledger, within, AT + 3 * HOUR)
    begun(ledger)
    assert [row.number for row in deployments_since(ledger, AT + 2 * HOUR)] == [2, 3]


def test_only_jobs_that_have_succeeded_can_be_deployed(ledger: Ledger) -> None:
    assert succeeded_targets(ledger) == set()
    ledger.change(add(ledger), status=Status.FAILED)
    assert succeeded_targets(ledger) == set()
    ledger.change(ledger.job("ftb_aaaa"), status=Status.SUCCEEDED)
    assert succeeded_targets(ledger) == {"local:tiny"}
