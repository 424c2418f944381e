"""A watch warns of what is deployed and costs, and takes down what was deployed for so many hours."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ftbridge import Bridge
from ftbridge.errors import NetworkError
from ftbridge.ledger import open_deployments
from ftbridge.model import now
from ftbridge.watching.deployments import DeploymentWatch
from scripted_provider import vendor_error
from serving_provider import JOB, Serving, aged


def deployed(bridge: Bridge, hours: float, max_hours: float | None = None) -> None:
    """The job's model, deployed so many hours ago; what was said of its price is forgotten."""
    bridge.deploy(JOB, max_hours=max_hours)
    aged(bridge, timedelta(hours=hours))
    bridge.warnings.clear()


def test_what_costs_by_the_hour_is_said_at_the_start_and_once_a_day(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed(bridge, 3)
    watch, started = DeploymentWatch(bridge), now()
    for hours, warnings in ((0, 1), (23, 1), (24, 2), (47, 2), (48, 3)):
        monkeypatch.setattr(
            "ftbridge.watching.deployments.now", lambda at=hours: started + timedelta(hours=at, minutes=1)
        )
        watch.begin()
        assert len(bridge.warnings) == warnings
    assert bridge.warnings[0] == f"{JOB} is deployed, $2.00/h, 3 h so far, $6.00: ftbridge undeploy {JOB}"


def test_what_costs_no_hours_is_not_worth_a_word_and_an_unknown_price_is(bridge: Bridge, vendor: Serving) -> None:
    vendor.hourly = 0.0
    deployed(bridge, 3)
    DeploymentWatch(bridge).begin()
    assert bridge.warnings == []
    bridge.undeploy(JOB)
    vendor.hourly = None
    deployed(bridge, 3)
    DeploymentWatch(bridge).begin()
    assert bridge.warnings == [f"{JOB} is deployed, price unknown, 3 h so far: ftbridge undeploy {JOB}"]


def test_a_model_is_taken_down_when_its_hours_are_over_and_not_before(bridge: Bridge, vendor: Serving) -> None:
    deployed(bridge, 7, max_hours=8)
    watch = DeploymentWatch(bridge)
    watch.begin()
    assert "undeploy" not in vendor.asked
    assert "when this watch undeploys it" in bridge.warnings[0]
    assert watch.task.pace == 300.0
    aged(bridge, timedelta(minutes=59))
    watch.begin()
    assert 50 < watch.task.pace <= 60  # seconds, until the hours are over
    aged(bridge, timedelta(hours=2))
    watch.begin()
    assert vendor.served == {}
    assert open_deployments(bridge.ledger) == []
    assert bridge.warnings[-1] == f"{JOB}: it was to be deployed for 8 h, and is undeployed after 10 h, about $19.97"


def test_one_that_cannot_be_taken_down_is_tried_again(bridge: Bridge, vendor: Serving) -> None:
    deployed(bridge, 26, max_hours=24)
    vendor.before = [vendor_error(NetworkError)]
    watch = DeploymentWatch(bridge)
    watch.begin()
    assert bridge.warnings == ["the vendor's words"]
    assert len(open_deployments(bridge.ledger)) == 1
    watch.begin()
    assert open_deployments(bridge.ledger) == []


def test_a_job_is_followed_until_its_model_is_taken_down(bridge: Bridge) -> None:
    deployed(bridge, 1, max_hours=8)
    watched = bridge.watch(JOB, deployments=True)
    for _round in range(3):
        assert next(watched)[0].id == JOB
    bridge.undeploy(JOB)
    assert [event for _job, event in watched if event] == []


def test_others_who_wait_for_the_job_do_not_wait_for_that(bridge: Bridge, vendor: Serving) -> None:
    deployed(bridge, 26, max_hours=24)
    assert bridge.wait(JOB).id == JOB
    assert vendor.asked == ["deploy"]
