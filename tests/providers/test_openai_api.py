"""The services that speak OpenAI's API have what they offer and nothing else: none undoes what its base does."""

from __future__ import annotations

import inspect

import pytest

from ftbridge.mock import MockVendor
from ftbridge.provider import Provider
from ftbridge_providers.azure.adapter import AzureProvider
from ftbridge_providers.azure.mock.vendor import AzureMock
from ftbridge_providers.nebius.adapter import NebiusProvider
from ftbridge_providers.nebius.mock.vendor import NebiusMock
from ftbridge_providers.openai.adapter import OpenAIProvider
from ftbridge_providers.openai.mock.vendor import OpenAIMock

SERVICES: dict[type[Provider], type[MockVendor]] = {
    OpenAIProvider: OpenAIMock,
    AzureProvider: AzureMock,
    NebiusProvider: NebiusMock,
}
OPERATIONS = {"pause": "pause_job", "resume": "resume_job", "delete": "delete_file"}
"""The mocks' operations behind verbs that not every service has."""
VERBS = ("cancel", "pause", "resume", "checkpoints", "deploy", "chat", "delete")


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
@pytest.mark.parametrize("verb", VERBS)
def test_a_service_has_a_verb_if_it_offers_it(service: type[Provider], verb: str) -> None:
    method = "complete" if verb == "chat" else verb  # chat is made of completions
    has_verb = getattr(service, method) is not getattr(Provider, method)
    assert has_verb == (verb in service.capabilities.verbs)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
@pytest.mark.parametrize("verb", OPERATIONS)
def test_a_mock_has_an_operation_if_its_service_offers_the_verb(service: type[Provider], verb: str) -> None:
    assert (OPERATIONS[verb] in SERVICES[service].operations()) == (verb in service.capabilities.verbs)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_no_service_refuses_what_its_base_does(service: type[Provider]) -> None:
    for owner in service.__mro__[: service.__mro__.index(Provider)]:
        assert "_unsupported" not in inspect.getsource(owner)


def test_only_openai_signs_webhooks() -> None:
    signing = [service for service in SERVICES if service.check_webhook is not Provider.check_webhook]
    assert signing == [OpenAIProvider]
