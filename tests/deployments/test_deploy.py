"""A deployment costs until it is gone: it is in the ledger before the vendor is asked, and believed only if listed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ftbridge import Bridge
from ftbridge.config import Config
from ftbridge.errors import InvalidRequest, NetworkError, ProviderError, ServerTrouble, Unsupported, UsageError
from ftbridge.ledger import Ledger, deployments_of, open_deployments
from ftbridge.ledger.lock import file_lock
from ftbridge.model import now
from ftbridge.provider import Deployment
from scripted_provider import Died, vendor_error
from serving_provider import JOB, MODEL, Serving, aged, with_a_model

DAY = timedelta(hours=24)


def test_before_the_vendor_is_asked_the_ledger_says_that_it_may_be_deployed_and_the_price_is_said(
    bridge: Bridge, vendor: Serving, home: Path
) -> None:
    seen: list[Any] = []
    vendor.look = lambda: seen.extend([*open_deployments(Ledger(home)), *bridge.warnings])
    made = bridge.deploy(JOB, tier="gold", max_hours=8)
    row, sentence = seen
    assert (row.name, row.model, row.hourly_usd, row.max_hours) == (None, MODEL, 2.0, 8)
    assert sentence == (
        "local bills about $2.00 for every hour that a model is deployed, called or not, until `ftbridge undeploy`;"
        " 8 h cost $16.00"
    )
    assert (made.job, made.name, made.tier, made.max_hours, made.monthly_usd) == (JOB, "d1", "standard", 8, 1460.0)


def test_a_process_that_dies_before_the_vendor_has_it_leaves_nothing_for_long(bridge: Bridge, vendor: Serving) -> None:
    vendor.before = [Died()]
    with pytest.raises(Died):
        bridge.deploy(JOB)
    [unclear] = bridge.deployments()
    assert (unclear.job, unclear.name) == (JOB, None)  # it was asked for a moment ago
    aged(bridge, timedelta(minutes=3))
    assert bridge.deployments() == []
    assert deployments_of(bridge.ledger, JOB) == []


def test_a_process_that_dies_after_the_vendor_has_it_leaves_what_the_next_look_finds(
    bridge: Bridge, vendor: Serving
) -> None:
    vendor.after = [Died()]
    with pytest.raises(Died):
        bridge.deploy(JOB, max_hours=8)
    [known] = bridge.deployments()
    assert (known.name, known.tier, known.hourly_usd, known.max_hours) == ("d1", "standard", 2.0, 8)
    again = bridge.deploy(JOB)
    assert (again.name, again.began_at) == ("d1", known.began_at)
    assert vendor.asked == ["deploy"]


def test_a_row_that_a_dead_process_left_is_that_of_the_next_deploy(bridge: Bridge, vendor: Serving) -> None:
    vendor.before = [Died()]
    with pytest.raises(Died):
        bridge.deploy(JOB, max_hours=8)
    aged(bridge, timedelta(minutes=1))
    made = bridge.deploy(JOB)
    [row] = deployments_of(bridge.ledger, JOB)
    assert (row.number, row.name, row.max_hours) == (1, "d1", 8)
    assert made.hours is not None
    assert made.hours * 60 < 0.5  # it begins when it is asked for again


def test_an_answer_that_is_lost_is_looked_for_and_the_deployment_is_what_is_returned(
    bridge: Bridge, vendor: Serving
) -> None:
    vendor.after = [vendor_error(ServerTrouble, provider="local")]
    assert bridge.deploy(JOB).name == "d1"


def test_where_the_vendor_refuses_and_has_nothing_nothing_stays(bridge: Bridge, vendor: Serving) -> None:
    vendor.before = [vendor_error(InvalidRequest, provider="local")]
    with pytest.raises(InvalidRequest, match="the vendor's words"):
        bridge.deploy(JOB)
    assert bridge.deployments() == []


def test_where_nobody_knows_what_the_vendor_has_the_error_says_that_it_may_cost(
    bridge: Bridge, vendor: Serving
) -> None:
    vendor.before = [vendor_error(NetworkError)]
    vendor.look = lambda: setattr(vendor, "cannot_list", vendor_error(NetworkError))
    with pytest.raises(NetworkError) as problem:
        bridge.deploy(JOB)
    assert "may be deployed all the same, and cost money" in problem.value.hint
    assert f"`ftbridge undeploy {JOB}`" in problem.value.hint
    [unclear] = bridge.deployments()
    assert unclear.name is None
    assert bridge.warnings[-1] == "local could not be asked what it serves now: the vendor's words"


def test_one_that_is_there_and_does_not_come_up_is_named_in_the_error(bridge: Bridge, vendor: Serving) -> None:
    vendor.served["d1"] = Deployment(name="d1", model=MODEL, raw_status="Failed")
    vendor.before = [vendor_error(ProviderError, provider="local")]
    with pytest.raises(ProviderError) as problem:
        bridge.deploy(JOB)
    assert "local has it all the same (Failed), and it may cost money" in problem.value.hint
    [row] = bridge.deployments()
    assert (row.name, row.raw_status, row.hourly_usd) == ("d1", "Failed", None)
    assert len(deployments_of(bridge.ledger, JOB)) == 1


def test_deploying_again_asks_for_nothing_and_may_change_for_how_long(bridge: Bridge, vendor: Serving) -> None:
    first = bridge.deploy(JOB)
    again = bridge.deploy(JOB, tier="gold", max_hours=5)
    assert vendor.asked == ["deploy"]
    stays = "it stays standard: undeploy it before you deploy it as gold"
    assert bridge.warnings[-1] == f"{JOB} is already deployed; {stays}"
    assert (again.name, again.began_at, again.max_hours) == (first.name, first.began_at, 5)
    assert len(deployments_of(bridge.ledger, JOB)) == 1


def test_two_processes_do_not_deploy_one_model_at_once(bridge: Bridge, vendor: Serving, home: Path) -> None:
    with file_lock(home / "locks" / f"{JOB}-deployment.lock"), pytest.raises(UsageError, match="another process"):
        bridge.deploy(JOB)
    assert vendor.asked == []


def test_while_another_process_deploys_no_look_takes_its_row_away(bridge: Bridge, vendor: Serving, home: Path) -> None:
    vendor.before = [Died()]
    with pytest.raises(Died):
        bridge.deploy(JOB)
    aged(bridge)
    with file_lock(home / "locks" / f"{JOB}-deployment.lock"):
        assert [info.name for info in bridge.deployments()] == [None]
    assert bridge.deployments() == []


def test_what_was_deployed_by_hand_is_found_and_written_down_since_it_began(bridge: Bridge, vendor: Serving) -> None:
    began = now() - timedelta(hours=3)
    vendor.served["mine"] = Deployment(name="mine", model=MODEL, hourly_usd=2.0, tier="standard", began_at=began)
    vendor.served["other"] = Deployment(name="other", model="tuned-9", hourly_usd=2.0, began_at=now())
    mine, other = bridge.deployments()
    assert (mine.job, mine.name, round(mine.hours or 0, 2), round(mine.cost_usd or 0, 2)) == (JOB, "mine", 3.0, 6.0)
    assert (other.job, other.model, round(other.cost_usd or 0, 2), other.monthly_usd) == (None, "tuned-9", 0.0, 1460.0)
    assert [row.name for row in open_deployments(bridge.ledger)] == ["mine"]
    assert [info.name for info in bridge.deployments(JOB)] == ["mine"]


def test_what_was_removed_elsewhere_has_ended(bridge: Bridge, vendor: Serving) -> None:
    bridge.deploy(JOB)
    aged(bridge)
    vendor.served.clear()
    assert bridge.deployments() == []
    [past] = bridge.past_deployments(JOB)
    assert past.ended_at
    assert now() - past.ended_at < timedelta(minutes=1)
    assert round(past.cost_usd or 0) == 48


def test_what_the_vendor_removes_by_itself_has_ended_when_it_did(bridge: Bridge, vendor: Serving) -> None:
    vendor.removed_after_hours = 24.0
    made = bridge.deploy(JOB)
    assert made.began_at
    assert made.removed_at == made.began_at + DAY
    aged(bridge, timedelta(hours=30))
    vendor.served.clear()
    bridge.deployments()
    [past] = bridge.past_deployments(JOB)
    assert past.hours == 24.0


def test_what_another_account_serves_is_not_taken_for_gone(
    bridge: Bridge, vendor: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = bridge.ledger.job(JOB)
    bridge.ledger.change(record, account=vendor.account)
    bridge.deploy(JOB)
    aged(bridge)
    vendor.served.clear()
    monkeypatch.setattr(Serving, "account", "local/another key")
    [known] = bridge.deployments()
    assert (known.name, known.raw_status) == ("d1", "not checked with the API key that it was created with")
    [ended] = bridge.undeploy(JOB)
    assert ended.name == "d1"
    assert "make sure that its model is no longer served there" in bridge.warnings[-1]


def test_offline_what_the_ledger_knows_is_believed(bridge: Bridge, vendor: Serving) -> None:
    bridge.deploy(JOB)
    aged(bridge)
    vendor.served.clear()
    [known] = bridge.deployments(offline=True)
    assert known.name == "d1"


def test_where_the_vendor_cannot_tell_what_it_serves_the_ledger_is_believed(bridge: Bridge, vendor: Serving) -> None:
    vendor.cannot_list = vendor_error(Unsupported, provider="local")
    bridge.deploy(JOB)
    aged(bridge)
    assert [info.name for info in bridge.deployments()] == ["d1"]
    assert [info.name for info in bridge.undeploy(JOB)] == ["d1"]
    assert bridge.deployments() == []


def test_undeploying_tells_what_has_ended_and_then_that_nothing_was_deployed(bridge: Bridge, vendor: Serving) -> None:
    bridge.deploy(JOB)
    aged(bridge, timedelta(hours=3))
    [ended] = bridge.undeploy(JOB)
    assert (ended.name, round(ended.hours or 0, 2), round(ended.cost_usd or 0, 2)) == ("d1", 3.0, 6.0)
    assert vendor.served == {}
    assert bridge.undeploy(JOB) == []


def test_an_undeploy_that_fails_says_that_it_may_still_cost(bridge: Bridge, vendor: Serving) -> None:
    bridge.deploy(JOB)
    vendor.before = [vendor_error(NetworkError)]
    with pytest.raises(NetworkError) as problem:
        bridge.undeploy(JOB)
    assert f"It may cost money until it is undeployed: run `ftbridge undeploy {JOB}` again." in problem.value.hint
    assert [info.name for info in bridge.deployments()] == ["d1"]


def test_the_users_own_price_of_an_hour_wins(home: Path, vendor: Serving) -> None:
    row = {
        "provider": "local",
        "models": ["*"],
        "hosting_usd_per_hour": 3.5,
        "source": "our contract",
        "as_of": "2026-11-01",
        "confidence": "official",
    }
    with Bridge(home, config=Config.model_validate({"catalogue": {"row": [row]}})) as bridge:
        with_a_model(bridge, vendor)
        assert bridge.deploy(JOB).hourly_usd == 3.5
        assert "$3.50" in bridge.warnings[-1]


def test_an_unknown_price_stays_unknown(bridge: Bridge, vendor: Serving) -> None:
    vendor.hourly = None
    made = bridge.deploy(JOB)
    assert (made.hourly_usd, made.cost_usd, made.monthly_usd) == (None, None, None)
    assert "at a price that is not known" in bridge.warnings[-1]


def test_hours_have_to_be_some(bridge: Bridge, vendor: Serving) -> None:
    with pytest.raises(UsageError, match="max_hours = 0"):
        bridge.deploy(JOB, max_hours=0)
    assert vendor.asked == []
