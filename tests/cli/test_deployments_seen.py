"""What is deployed is seen wherever jobs are: since when, at what price, and for too long."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from command_line import Cli
from ftbridge import Bridge
from ftbridge.mock.vendors import MockVendors
from ftbridge_providers.azure.mock.vendor import AzureMock, Served
from hosted_helpers import asked
from serving_provider import aged

AZURE, NEBIUS = "azure:gpt-4.1-mini-2025-04-14", "nebius:Qwen/Qwen3-8B"


@pytest.fixture
def job(here: Cli, rows: Path, ftbridge_mock: MockVendors) -> str:
    """A finished job at Azure."""
    made = str(here("submit", rows, "--to", AZURE).out.strip())
    assert here("watch", made).code == 0
    return made


@pytest.fixture
def azure(ftbridge_mock: MockVendors) -> AzureMock:
    mock = ftbridge_mock["azure"]
    assert isinstance(mock, AzureMock)
    return mock


def deployed(here: Cli, home: Path, job: str, hours: float, *options: str) -> dict[str, Any]:
    """Deploy it, as if so many hours ago."""
    made: dict[str, Any] = here("deploy", job, *options, "--json").json
    with Bridge(home) as bridge:
        aged(bridge, timedelta(hours=hours))
    return made


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("columns", [80, 140])
def test_jobs_show_and_lifecycle_tell_what_is_served_and_what_it_has_cost(
    here: Cli, home: Path, job: str, columns: int
) -> None:
    name = deployed(here, home, job, 3)["name"]
    jobs = here("jobs", columns=columns).out
    assert f"{job} at azure: served, $1.70/h, 3 h so far, $5.10" in jobs
    shown = here("show", job, columns=columns).out
    assert f"{name} (standard): served since " in words(shown)
    assert "$1.70/h, 3 h so far, $5.10" in shown
    assert "max hours" not in shown
    listed = here("lifecycle", columns=columns).out
    assert job in listed
    assert (name in listed) is (columns == 140)
    assert "$1.70" in listed
    assert "$5.10" in listed
    assert "$1,241.00" in listed
    for out in (jobs, shown, listed):
        assert max(map(len, out.splitlines())) <= columns
        assert "…" not in out


def test_programs_are_told_the_same(here: Cli, home: Path, job: str) -> None:
    made = deployed(here, home, job, 3, "--max-hours", "24")
    assert (made["job"], made["provider"], made["hourly_usd"], made["max_hours"]) == (job, "azure", 1.7, 24)
    listed = here("jobs", "--json").json
    [one] = listed["jobs"]
    shown, lifecycle = here("show", job, "--json").json, here("lifecycle", "--json").json
    for found in (one["deployment"], *listed["deployments"], shown["deployment"], *lifecycle["deployments"]):
        assert (found["job"], found["name"], found["tier"], found["ended_at"]) == (job, made["name"], "standard", None)
        assert round(found["cost_usd"], 2) == 5.10
        assert found["monthly_usd"] == 1241.0
    assert here("undeploy", job, "--json").json["undeployed"] is True
    shown = here("show", job, "--json").json
    assert shown["deployment"] is None
    assert [round(past["cost_usd"], 2) for past in shown["deployments"]] == [5.10]
    assert here("jobs", "--json").json["jobs"][0]["deployment"] is None


def test_a_price_that_nobody_knows_is_said_to_be_unknown(here: Cli, job: str, azure: AzureMock) -> None:
    model = here("show", job, "--json").json["result"]["model"]
    azure.speed = 0.001  # so that it is being created for the whole test
    azure.store.put("deployments", "mine", Served("mine", model, {"name": "ProvisionedManaged"}, azure.now()))
    assert f"{job} at azure: deployed, Creating, price unknown, 0 min so far" in here("jobs").out
    assert here("jobs", "--json").json["jobs"][0]["deployment"]["cost_usd"] is None
    assert "price unknown" in here("show", job).out
    row = next(line for line in here("lifecycle").out.splitlines() if "mine" in line)
    assert row.split()[-4:-1] == ["?", "?", "?"]


def test_what_no_job_here_has_made_is_shown_as_well(here: Cli, job: str, azure: AzureMock) -> None:
    model = f"gpt-4.1-2025-04-14.ft-{'a' * 32}"
    azure.store.put("deployments", "theirs", Served("theirs", model, {"name": "Standard"}, azure.now() - 7200))
    assert f"{model} (no job here) at azure: served, $1.70/h, 2 h so far, $3.40" in here("jobs", columns=140).out
    assert "theirs  (azure, no job here)" in here("lifecycle", columns=140).out
    assert "theirs  (azure, no job" in here("lifecycle", columns=80).out
    [found] = here("jobs", "--json").json["deployments"]
    assert (found["job"], found["model"]) == (None, model)
    assert f"{model}, deployed at azure, does not belong to a job here and is not counted" in words(here("costs").err)


def test_one_that_is_there_for_too_long_is_warned_of(here: Cli, home: Path, job: str) -> None:
    deployed(here, home, job, 26, "--max-hours", "24")
    warning = f"{job} is deployed for 26 h, 2 h over its 24: ftbridge undeploy {job}"
    assert f"note: {warning}" in here("jobs").err
    assert f"note: {warning}" in here("recover").err
    assert "26 h, 2 h over its 24" in words(here("show", job).out)


def test_before_its_hours_are_over_nothing_is_warned_of(here: Cli, home: Path, job: str) -> None:
    deployed(here, home, job, 3, "--max-hours", "24")
    assert here("jobs").err == ""
    assert here("recover").err == ""
    assert "24, until " in here("show", job).out


def test_a_watch_takes_it_down_when_its_hours_are_over(here: Cli, home: Path, job: str, azure: AzureMock) -> None:
    deployed(here, home, job, 26, "--max-hours", "24")
    watched = here("watch")
    assert watched.code == 0
    assert f"{job}: it was to be deployed for 24 h, and is undeployed after 26 h, about $44.20" in words(watched.err)
    assert asked(azure, "delete_deployment") == 1
    assert "deployed" not in here("watch").err


def test_without_hours_a_watch_warns_at_its_start(here: Cli, home: Path, job: str) -> None:
    deployed(here, home, job, 3)
    sentence = f"{job} is deployed, $1.70/h, 3 h so far, $5.10: ftbridge undeploy {job}"
    assert sentence in here("watch").err
    assert sentence in here("watch", job).err
    assert sentence in here("recover").err


def test_deploying_twice_and_undeploying_twice_say_what_is(here: Cli, home: Path, job: str, azure: AzureMock) -> None:
    assert here("undeploy", job).out == f"{job} was not deployed\n"
    deployed(here, home, job, 3.2)
    again = here("deploy", job)
    assert (again.code, asked(azure, "put_deployment")) == (0, 1)
    assert f"{job} is already deployed" in again.err
    assert "$1.70/h, 3.2 h so far, $5.44" in again.out
    ended = here("undeploy", job)
    assert ended.code == 0
    assert "is no longer served: undeployed at " in ended.out
    assert ended.out.endswith(" after 3.2 h, about $5.44\n")
    twice = here("undeploy", job)
    assert twice.code == 0
    assert twice.out.startswith(f"{job} was not deployed any more: undeployed at ")
    assert twice.out.endswith(" after 3.2 h, about $5.44\n")


def test_what_was_removed_in_the_portal_is_noticed(here: Cli, home: Path, job: str, azure: AzureMock) -> None:
    name = deployed(here, home, job, 3)["name"]
    azure.store.drop("deployments", name)
    assert "served" not in here("jobs").out
    assert "undeployed at" in words(here("show", job).out)


def test_a_developers_deployment_ends_after_its_day(here: Cli, home: Path, job: str, azure: AzureMock) -> None:
    made = here("deploy", job, "--tier", "developertier")
    assert "not by the hour; azure removes it after 24 hours" in words(made.err)
    shown = here("show", job).out
    assert "no hours billed" in shown
    assert "when azure removes it" in words(shown)
    with Bridge(home) as bridge:
        aged(bridge, timedelta(hours=30))
    azure.store.drop("deployments", here("show", job, "--json").json["deployment"]["name"])
    past = here("show", job, "--json").json["deployments"][0]
    assert (past["hours"], past["cost_usd"]) == (24.0, 0.0)


@pytest.mark.parametrize("fault", ["500-after", "cut-after"])
def test_a_deployment_whose_answer_is_lost_is_found(here: Cli, job: str, azure: AzureMock, fault: str) -> None:
    azure.faults.add(f"put_deployment={fault}")
    made = here("deploy", job)
    assert made.code == 0
    assert f"{job} at azure: served" in here("jobs").out


def test_a_deployment_that_is_refused_costs_nothing(here: Cli, job: str, azure: AzureMock) -> None:
    azure.faults.add("put_deployment=403")
    refused = here("deploy", job)
    assert refused.code == 3
    assert here("jobs", "--json").json["deployments"] == []
    assert here("costs", "--json").json["total"]["hosting_usd"] == 0.0


def test_where_azure_cannot_be_asked_what_is_known_is_shown_and_the_doubt_is_said(
    here: Cli, home: Path, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed(here, home, job, 3)
    monkeypatch.delenv("AZURE_MANAGEMENT_TOKEN")
    ran = here("jobs")
    assert ran.code == 0
    assert "served, $1.70/h, 3 h so far, $5.10" in ran.out
    assert "azure could not be asked what it serves now" in ran.err
    here("lifecycle", "--offline")


def test_an_account_with_nothing_deployed_needs_no_management_token(
    here: Cli, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_MANAGEMENT_TOKEN")
    assert here("jobs").err == ""


def test_what_is_billed_by_the_token_is_shown_without_a_price_an_hour(here: Cli, rows: Path, job: str) -> None:
    nebius = here("submit", rows, "--to", NEBIUS).out.strip()
    here("watch", nebius)
    made = here("deploy", nebius)
    assert "bills a deployed model by the token" in words(made.err)
    assert f"{nebius} at nebius: served, no hours billed, 0 min so far" in here("jobs").out
    assert here("watch").err == "No job is running.\n"


def test_the_help_says_who_takes_it_down(here: Cli) -> None:
    assert "a running `watch` undeploys the model" in here("deploy", "--help", columns=200).out
