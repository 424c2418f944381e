"""Deployments: what Azure serves models under, and bills by the hour. They are made by its management API.

Sources: github.com/MicrosoftDocs/azure-ai-docs, articles/foundry/openai/how-to/fine-tuning-deploy.md
(2026-02-11) and articles/foundry/openai/includes/how-to-fine-tuning-cost-management-content.md (2026-03-19);
the REST reference "Deployments - Create Or Update" of Microsoft.CognitiveServices.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from ftbridge.errors import NotFound, ProviderError, ServerTrouble, UsageError
from ftbridge.provider import Deployment
from ftbridge.retry import patiently, until
from ftbridge_providers.openai.client import not_understood, understood

if TYPE_CHECKING:
    from openai import OpenAI

API_VERSION = "2025-06-01"
"""The stable version of Microsoft.CognitiveServices that knows every tier below."""
CAPACITY = {"standard": 1, "globalstandard": 1, "developertier": 50}
"""By tier, the thousands of tokens a minute that Microsoft's guides deploy with."""
WITHOUT_HOURS = "developertier"
"""The tier that is billed by the token alone."""
_TUNED = re.compile(r".+\.(ft-[0-9a-f]{32})(?:-.*)?")


def deployment_name(model: str) -> str:
    """The name under which ftbridge deploys a tuned model: the part of its id that is its own.

    A base model, or a checkpoint `ftchkpt-…`, goes by its id.
    """
    tuned = _TUNED.fullmatch(model)
    return tuned[1] if tuned else model


def check_tier(tier: str) -> None:
    """Raises `UsageError` for a tier that ftbridge does not know."""
    if tier not in CAPACITY:
        raise UsageError(f"azure has no tier {tier!r} that ftbridge knows", hint=f"It knows: {', '.join(CAPACITY)}.")


def hosting_cost(tier: str, hourly_usd: float | None) -> str:
    """What a deployment costs, in a sentence; `hourly_usd` is for those that are billed by the hour."""
    if tier == WITHOUT_HOURS:
        return "azure bills no hours for a developer deployment, and removes it after 24 hours"
    price = f"about ${hourly_usd:.2f} for " if hourly_usd else ""
    return f"azure bills {price}every hour that a model is deployed, talked to or not, until `ftbridge undeploy`"


class Deployments:
    """The deployments of one Azure OpenAI resource; `resource` is its id, `/subscriptions/…/accounts/NAME`.

    `hourly_usd` is what one costs in the tiers that are billed by the hour, where that is known.
    """

    provisioning_seconds = 3600.0
    """How long Azure may take to bring a deployment up."""

    def __init__(self, client: OpenAI, resource: str, hourly_usd: float | None) -> None:
        self._client = client
        self._resource = resource
        self._hourly_usd = hourly_usd

    def deploy(self, model: str, tier: str) -> Deployment:
        """Deploy `model`, unless it is, and return when it is up. The request is a PUT: asking twice makes one."""
        name = deployment_name(model)
        if self._get(name) is None:
            patiently(partial(self._put, name, model, tier))
        ready = until(partial(self._ready, name), seconds=self.provisioning_seconds)
        if ready is None:
            raise ServerTrouble(
                f"azure has not brought deployment {name} up in {self.provisioning_seconds / 60:.0f} minutes",
                provider="azure",
                hint="`ftbridge deploy` goes on waiting; `ftbridge undeploy` removes it.",
            )
        billed = ready["sku"]["name"].lower() != WITHOUT_HOURS
        return Deployment(name=name, model=model, hourly_usd=self._hourly_usd if billed else 0.0)

    def undeploy(self, model: str) -> None:
        """Remove the deployment of `model`, if there is one."""

        def ask() -> None:
            with understood("azure"):
                self._client.delete(self._path(deployment_name(model)), cast_to=object, options=_VERSION)

        try:
            patiently(ask)
        except NotFound:
            return

    def _put(self, name: str, model: str, tier: str) -> None:
        body = {
            "sku": {"name": tier, "capacity": CAPACITY[tier]},
            "properties": {"model": {"format": "OpenAI", "name": model, "version": "1"}},
        }
        with understood("azure"):
            self._client.put(self._path(name), cast_to=object, body=body, options=_VERSION)

    def _ready(self, name: str) -> dict[str, Any] | None:
        """The deployment if it is up. Raises `ProviderError` where it never will be."""
        found = self._get(name)
        if found is None:
            return None
        state = found["properties"]["provisioningState"]
        if state in ("Failed", "Canceled"):
            raise ProviderError(
                f"azure could not deploy {found['properties']['model']['name']}: {state}",
                provider="azure",
                hint="The activity log of the resource in Azure's portal tells why; `ftbridge undeploy` removes it.",
            )
        return found if state == "Succeeded" else None

    def _get(self, name: str) -> dict[str, Any] | None:
        def ask() -> object:
            with understood("azure"):
                return self._client.get(self._path(name), cast_to=object, options=_VERSION)

        try:
            found = patiently(ask)
        except NotFound:
            return None
        if not isinstance(found, dict):
            raise not_understood("azure")
        return found

    def _path(self, name: str) -> str:
        return f"{self._resource}/deployments/{name}"


_VERSION: Any = {"params": {"api-version": API_VERSION}}
