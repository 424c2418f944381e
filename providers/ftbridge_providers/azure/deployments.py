"""Deployments, by which Azure serves models and which it bills by the hour, through the management API.

Sources: github.com/MicrosoftDocs/azure-ai-docs, articles/foundry/openai/how-to/fine-tuning-deploy.md
(2026-02-11) and articles/foundry/openai/includes/how-to-fine-tuning-cost-management-content.md (2026-03-19);
the REST reference "Deployments - Create Or Update" of Microsoft.CognitiveServices.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from ftbridge.errors import NotFound, ProviderError, ServerTrouble, UsageError
from ftbridge.foreign.values import time_of
from ftbridge.provider import Deployment, HostingTerms
from ftbridge.provider.retry import poll_until
from ftbridge_providers.openai_api.client import retry_read, unexpected_answer

if TYPE_CHECKING:
    from openai import OpenAI

API_VERSION = "2025-06-01"
"""The stable version of Microsoft.CognitiveServices that knows every tier below."""
CAPACITY = {"standard": 1, "globalstandard": 1, "developertier": 50}
"""By tier, the thousands of tokens a minute that Microsoft's guides deploy with."""
DEVELOPER_TIER = "developertier"
"""The tier that is billed by the token only, and removed after 24 hours."""
_TUNED = re.compile(r".+\.(ft-[0-9a-f]{32})(?:-.*)?")
_CHECKPOINT = "ftchkpt-"
_BY_THE_HOUR = ("standard", "globalstandard")
"""The tiers whose hourly price Microsoft's guide gives; provisioned ones have other prices."""


def deployment_name(model: str) -> str:
    """The name under which ftbridge deploys a tuned model: the unique part of its id.

    A base model, or a checkpoint `ftchkpt-…`, goes by its id.
    """
    tuned = _TUNED.fullmatch(model)
    return tuned[1] if tuned else model


def check_tier(tier: str) -> None:
    """Raises `UsageError` for a tier that ftbridge does not know."""
    if tier not in CAPACITY:
        raise UsageError(f"ftbridge knows no tier {tier!r} of azure", hint=f"It knows: {', '.join(CAPACITY)}.")


def hosting_of(tier: str, hourly_usd: float | None) -> HostingTerms:
    """What a deployment in `tier` costs; `hourly_usd` is the price of tiers that are billed by the hour."""
    if tier == DEVELOPER_TIER:
        return HostingTerms(hourly_usd=0.0, billed_by="token", removed_after_hours=24.0)
    return HostingTerms(hourly_usd=hourly_usd if tier in _BY_THE_HOUR else None, billed_by="hour")


class Deployments:
    """The deployments of one Azure OpenAI resource; `resource` is its id, `/subscriptions/…/accounts/NAME`.

    `hourly_usd` is the price in the tiers that are billed by the hour, where it is known.
    """

    provisioning_seconds = 3600.0
    """How long Azure may take to provision a deployment."""

    def __init__(self, client: OpenAI, resource: str, hourly_usd: float | None) -> None:
        self._client = client
        self._resource = resource
        self._hourly_usd = hourly_usd

    def deploy(self, model: str, tier: str) -> Deployment:
        """Deploy `model` unless it is deployed, and return when it is ready. The request is an idempotent PUT."""
        name = deployment_name(model)
        if self._get(name) is None:
            retry_read("azure", partial(self._put, name, model, tier))
        ready = poll_until(partial(self._ready, name), seconds=self.provisioning_seconds)
        if ready is None:
            raise ServerTrouble(
                f"azure has not provisioned deployment {name} in {self.provisioning_seconds / 60:.0f} minutes",
                provider="azure",
                hint="`ftbridge deploy` waits for it again; `ftbridge undeploy` removes it.",
            )
        return self._read(ready)

    def undeploy(self, model: str) -> None:
        """Remove every deployment of `model`: ftbridge's, and those under other names."""
        own = deployment_name(model)
        self._delete(own)
        for deployment in self.listed():
            if deployment.model == model and deployment.name != own:
                self._delete(deployment.name)

    def listed(self) -> list[Deployment]:
        """The deployments of tuned models and checkpoints; those of base models are not billed by the hour."""
        deployments: list[Deployment] = []
        query: dict[str, str] = {"api-version": API_VERSION}
        while query:
            page = self._list(query)
            deployments += [self._read(body) for body in page["value"] if _is_tuned(body)]
            # only the query of the link is used: the token is never sent to an address from an answer
            query = dict(parse_qsl(urlsplit(page.get("nextLink") or "").query))
        return deployments

    def _list(self, query: dict[str, str]) -> dict[str, Any]:
        path = f"{self._resource}/deployments"
        page = retry_read("azure", lambda: self._client.get(path, cast_to=object, options={"params": query}))
        if not isinstance(page, dict) or not isinstance(page.get("value"), list):
            raise unexpected_answer("azure")
        return page

    def _read(self, body: dict[str, Any]) -> Deployment:
        tier, state = str(body["sku"]["name"]).lower(), body["properties"]["provisioningState"]
        failed = state in _FAILED  # whether Azure bills a failed deployment is not documented
        return Deployment(
            name=body["name"],
            model=body["properties"]["model"]["name"],
            hourly_usd=None if failed else hosting_of(tier, self._hourly_usd).hourly_usd,
            tier=tier,
            began_at=_created_at(body),
            raw_status="" if state == "Succeeded" else state,
        )

    def _delete(self, name: str) -> None:
        with suppress(NotFound):
            retry_read("azure", lambda: self._client.delete(self._path(name), cast_to=object, options=_VERSION))

    def _put(self, name: str, model: str, tier: str) -> None:
        body = {
            "sku": {"name": tier, "capacity": CAPACITY[tier]},
            "properties": {"model": {"format": "OpenAI", "name": model, "version": "1"}},
        }
        self._client.put(self._path(name), cast_to=object, body=body, options=_VERSION)

    def _ready(self, name: str) -> dict[str, Any] | None:
        """The deployment if it is ready. Raises `ProviderError` if it has failed."""
        body = self._get(name)
        if body is None:
            return None
        state = body["properties"]["provisioningState"]
        if state in _FAILED:
            raise ProviderError(
                f"azure could not deploy {body['properties']['model']['name']}: {state}",
                provider="azure",
                hint="The resource's activity log in Azure's portal has the reason; `ftbridge undeploy` removes it.",
            )
        return body if state == "Succeeded" else None

    def _get(self, name: str) -> dict[str, Any] | None:
        try:
            body = retry_read("azure", lambda: self._client.get(self._path(name), cast_to=object, options=_VERSION))
        except NotFound:
            return None
        if not isinstance(body, dict):
            raise unexpected_answer("azure")
        return body

    def _path(self, name: str) -> str:
        return f"{self._resource}/deployments/{name}"


def _is_tuned(body: dict[str, Any]) -> bool:
    """Whether a tuned model is deployed, not a base. Raises `BadAnswer` for what is not a deployment."""
    try:
        model = str(body["properties"]["model"]["name"])
        _ = body["name"], body["sku"]["name"], body["properties"]["provisioningState"]
    except (KeyError, TypeError):
        raise unexpected_answer("azure") from None
    return bool(_TUNED.fullmatch(model)) or model.startswith(_CHECKPOINT)


def _created_at(body: dict[str, Any]) -> datetime | None:
    """When it was deployed, by the `systemData` of every Azure resource."""
    data = body.get("systemData")
    return time_of(data.get("createdAt")) if isinstance(data, dict) else None


_VERSION: Any = {"params": {"api-version": API_VERSION}}
_FAILED = ("Failed", "Canceled")
