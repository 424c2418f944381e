"""A model tuned at Azure answers while it is deployed, which nothing but `deploy` does."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from azure_helpers import MODEL, TAG, tuned
from ftbridge.dataset.example import Chat, User
from ftbridge.endpoint import Endpoint
from ftbridge.errors import ConfigError, NotFound, UsageError
from ftbridge.model import Spec
from ftbridge.provider import Hosting
from ftbridge_providers.azure.adapter import AzureProvider
from ftbridge_providers.azure.deployments import deployment_name
from ftbridge_providers.azure.mock import AzureMock
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
    assert provider.hosting("developertier") == Hosting(hourly_usd=0.0, billed_by="token", removed_after_hours=24.0)
    assert provider.hosting() == Hosting(hourly_usd=1.70, billed_by="hour")
    with pytest.raises(UsageError, match="'gold'") as problem:
        provider.deploy("any", tier="gold")
    assert "developertier" in problem.value.hint


def test_without_the_resources_id_nothing_is_deployed(tmp_path: Path) -> None:
    endpoint = Endpoint(base_url="https://x.openai.azure.com", api_key=SecretStr("k"), account="x")
    with pytest.raises(ConfigError, match="AZURE_OPENAI_RESOURCE_ID") as problem:
        AzureProvider(tmp_path, endpoint).deploy("any")
    assert "az cognitiveservices account show" in problem.value.hint


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
