"""A model tuned at Azure answers while it is deployed, which nothing but `deploy` does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from azure_helpers import MODEL, TAG, Listening, tuned
from ftbridge.dataset.canonical.example import Chat, User
from ftbridge.errors import BadAnswer, ConfigError, NotFound, UsageError
from ftbridge.model import Spec
from ftbridge.provider import HostingTerms
from ftbridge.provider.connection import Connection
from ftbridge_providers.azure.adapter import AzureProvider
from ftbridge_providers.azure.deployments import API_VERSION, deployment_name
from ftbridge_providers.azure.mock.vendor import RESOURCE, AzureMock
from hosted_helpers import sent

QUESTION = Chat(messages=[User(content="q3")])


def test_a_tuned_model_answers_only_while_it_is_deployed(provider: AzureProvider, mock: AzureMock, spec: Spec) -> None:
    model = tuned(provider, spec)
    with pytest.raises(NotFound) as problem:
        provider.chat(model, QUESTION)
    assert problem.value.code == "DeploymentNotFound"
    assert "`ftbridge deploy JOB`" in problem.value.hint
    assert "$1.70" in problem.value.hint
    made = provider.deploy(model)
    assert (made.name, made.model, made.hourly_usd) == (deployment_name(model), model, 1.70)
    assert provider.deploy(model, tier="developertier") == made
    assert sent(mock, "put_deployment") == [
        {
            "sku": {"name": "standard", "capacity": 1},
            "properties": {"model": {"format": "OpenAI", "name": model, "version": "1"}},
        }
    ]
    assert provider.chat(model, QUESTION).text == "a3"
    provider.undeploy(model)
    provider.undeploy(model)
    with pytest.raises(NotFound):
        provider.chat(model, QUESTION)


def test_nothing_but_deploy_deploys(provider: AzureProvider, mock: AzureMock, spec: Spec, tmp_path: Path) -> None:
    model = tuned(provider, spec)
    [job] = provider.find(TAG)
    list(provider.events(job.remote_id, ""))
    provider.checkpoints(job.remote_id)
    provider.fetch(job.remote_id, tmp_path / "out")
    with pytest.raises(NotFound):
        provider.chat(model, QUESTION)
    assert not [seen for seen in mock.seen if seen.operation in ("put_deployment", "delete_deployment")]


@pytest.mark.parametrize("fault", ["500", "500-after", "cut", "cut-after", "429:0.1"])
def test_a_deployment_outlasts_trouble_and_is_made_once(
    provider: AzureProvider, mock: AzureMock, spec: Spec, fault: str
) -> None:
    model = tuned(provider, spec)
    mock.faults.add(f"put_deployment={fault}")
    mock.faults.add(f"get_deployment={fault}")
    assert provider.deploy(model).model == model
    assert len(list((mock.store.folder / "deployments").glob("*.json"))) == 1


def test_the_developer_tier_costs_no_hours_and_an_unknown_one_is_refused(provider: AzureProvider) -> None:
    assert provider.hosting_terms("developertier") == HostingTerms(
        hourly_usd=0.0, billed_by="token", removed_after_hours=24.0
    )
    assert provider.hosting_terms() == HostingTerms(hourly_usd=1.70, billed_by="hour")
    with pytest.raises(UsageError, match="'gold'") as problem:
        provider.deploy("any", tier="gold")
    assert "developertier" in problem.value.hint


def test_without_the_resources_id_nothing_is_deployed(tmp_path: Path) -> None:
    connection = Connection(base_url="https://x.openai.azure.com", api_key=SecretStr("k"), account="x")
    with pytest.raises(ConfigError, match="AZURE_OPENAI_RESOURCE_ID") as problem:
        AzureProvider(tmp_path, connection).deploy("any")
    assert "az cognitiveservices account show" in problem.value.hint


def by_hand(provider: AzureProvider, name: str, model: str, tier: str = "Standard") -> None:
    """A deployment as somebody makes it in the portal, under a name of theirs."""
    version: Any = {"params": {"api-version": API_VERSION}}
    properties = {"model": {"format": "OpenAI", "name": model, "version": "1"}}
    body = {"sku": {"name": tier, "capacity": 1}, "properties": properties}
    provider.management.put(f"{RESOURCE}/deployments/{name}", cast_to=object, body=body, options=version)


def test_all_pages_of_tuned_models_are_listed_with_their_tiers_and_prices(
    provider: AzureProvider, mock: AzureMock, spec: Spec
) -> None:
    model = tuned(provider, spec)
    by_hand(provider, "a-base", MODEL)
    for name, tier in {"b": "Standard", "c": "GlobalStandard", "d": "DeveloperTier", "e": "ProvisionedManaged"}.items():
        by_hand(provider, name, model, tier)
    provider._deployments().deploy(model, "standard")
    listed = {found.name: found for found in provider.deployments()}
    assert {name: (found.tier, found.hourly_usd) for name, found in listed.items()} == {
        "b": ("standard", 1.70),
        "c": ("globalstandard", 1.70),
        "d": ("developertier", 0.0),
        "e": ("provisionedmanaged", None),
        deployment_name(model): ("standard", 1.70),
    }
    assert {found.model for found in listed.values()} == {model}
    began = [found.began_at.timestamp() for found in listed.values() if found.began_at]
    assert len(began) == 5
    assert all(abs(at - mock.now()) < 60 for at in began)
    # the pages' links name Azure's own host: only their queries were followed, to where the token belongs
    assert [seen.call.query.get("$skipToken") for seen in mock.seen if seen.operation == "list_deployments"] == [
        None,
        "2",
        "4",
    ]


def test_one_that_is_not_up_is_listed_with_azures_word_for_it(
    provider: AzureProvider, mock: AzureMock, spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hand(provider, "mine", tuned(provider, spec))
    monkeypatch.setattr(AzureMock, "state", lambda _mock, _deployment: "Failed")
    [found] = provider.deployments()
    assert (found.raw_status, found.hourly_usd) == ("Failed", None)
    monkeypatch.setattr(AzureMock, "state", lambda _mock, _deployment: "Creating")
    [found] = provider.deployments()
    assert (found.raw_status, found.hourly_usd) == ("Creating", 1.70)


def test_a_deployment_under_another_name_answers_and_is_removed_as_well(
    provider: AzureProvider, mock: Listening, spec: Spec
) -> None:
    model = tuned(provider, spec)
    by_hand(provider, "mine", model)
    mock.ahead = 60.0
    assert provider.chat(model, QUESTION).text == "a3"
    provider.undeploy(model)
    assert provider.deployments() == []


def test_developers_deployments_are_gone_after_a_day(provider: AzureProvider, mock: Listening, spec: Spec) -> None:
    model = tuned(provider, spec)
    provider.deploy(model, tier="developertier")
    assert [found.hourly_usd for found in provider.deployments()] == [0.0]
    mock.ahead = 24 * 3600 / mock.speed
    assert provider.deployments() == []


@pytest.mark.parametrize("fault", ["html", "invalid-json"])
def test_a_list_that_is_none_is_not_taken_for_an_empty_one(
    provider: AzureProvider, mock: AzureMock, fault: str
) -> None:
    mock.faults.add(f"list_deployments={fault}")
    with pytest.raises(BadAnswer):
        provider.deployments()


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-4.1-2025-04-14.ft-b044a9d3cf9c4228b5d393567f693b83", "ft-b044a9d3cf9c4228b5d393567f693b83"),
        ("gpt-4.1-2025-04-14.ft-b044a9d3cf9c4228b5d393567f693b83-mine", "ft-b044a9d3cf9c4228b5d393567f693b83"),
        ("ftchkpt-e559c011ecc04fc68eaa339d8227d02d", "ftchkpt-e559c011ecc04fc68eaa339d8227d02d"),
        (MODEL, MODEL),
    ],
)
def test_a_deployment_is_named_after_what_tells_the_model_from_others(model: str, name: str) -> None:
    assert deployment_name(model) == name
