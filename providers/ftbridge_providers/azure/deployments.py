"""Deployments: what Azure serves models under, and bills by the hour. They are made by its management API.

Sources: github.com/MicrosoftDocs/azure-ai-docs, articles/foundry/openai/how-to/fine-tuning-deploy.md
(2026-02-11) and articles/foundry/openai/includes/how-to-fine-tuning-cost-management-content.md (2026-03-19);
the REST reference "Deployments - Create Or Update" of Microsoft.CognitiveServices.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from ftbridge.errors import NotFound, ProviderError, ServerTrouble, UsageError
from ftbridge.provider import Deployment, HostingTerms
from ftbridge.provider.retry import poll_until, with_retries
from ftbridge_providers.openai.client import not_understood, understood

if TYPE_CHECKING:
    from openai import OpenAI

API_VERSION = "2025-06-01"
"""The stable version of Microsoft.CognitiveServices that knows every tier below."""
CAPACITY = {"standard": 1, "globalstandard": 1, "developertier": 50}
"""By tier, the thousands of tokens a minute that Microsoft's guides deploy with."""
WITHOUT_HOURS = "developertier"
"""The tier that is billed by the token alone, and removed after 24 hours."""
_TUNED = re.compile(r".+\.(ft-[0-9a-f]{32})(?:-.*)?")
_CHECKPOINT = "ftchkpt-"
_BY_THE_HOUR = ("standard", "globalstandard")
"""The tiers of which Microsoft's guide names the price of an hour; provisioned ones have others."""


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


def hosting_of(tier: str, hourly_usd: float | None) -> HostingTerms:
    """What a deployment in `tier` costs; `hourly_usd` is for those that are billed by the hour."""
    if tier == WITHOUT_HOURS:
        return HostingTerms(hourly_usd=0.0, billed_by="token", removed_after_hours=24.0)
    return HostingTerms(hourly_usd=hourly_usd if tier in _BY_THE_HOUR else None, billed_by="hour")


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
            with_retries(partial(self._put, name, model, tier))
        ready = poll_until(partial(self._ready, name), seconds=self.provisioning_seconds)
        if ready is None:
            raise ServerTrouble(
                f"azure has not brought deployment {name} up in {self.provisioning_seconds / 60:.0f} minutes",
                provider="azure",
                hint="`ftbridge deploy` goes on waiting; `ftbridge undeploy` removes it.",
            )
        return self._read(ready)

    def undeploy(self, model: str) -> None:
        """Remove every deployment of `model`: ftbridge's, and those that somebody has made under other names."""
        own = deployment_name(model)
        self._delete(own)
        for found in self.listed():
            if found.model == model and found.name != own:
                self._delete(found.name)

    def listed(self) -> list[Deployment]:
        """The deployments of tuned models and checkpoints; those of base models cost no hours and are left out."""
        found: list[Deployment] = []
        query: dict[str, str] = {"api-version": API_VERSION}
        while query:
            page = self._list(query)
            found += [self._read(one) for one in page["value"] if _is_tuned(one)]
            # only its query is followed: the token goes to no address that an answer names
            query = dict(parse_qsl(urlsplit(page.get("nextLink") or "").query))
        return found

    def _list(self, query: dict[str, str]) -> dict[str, Any]:
        def ask() -> object:
            with understood("azure"):
                return self._client.get(f"{self._resource}/deployments", cast_to=object, options={"params": query})

        page = with_retries(ask)
        if not isinstance(page, dict) or not isinstance(page.get("value"), list):
            raise not_understood("azure")
        return page

    def _read(self, found: dict[str, Any]) -> Deployment:
        tier, state = found["sku"]["name"].lower(), found["properties"]["provisioningState"]
        failed = state in _NEVER_UP  # whether Azure bills one that never came up is not documented
        return Deployment(
            name=found["name"],
            model=found["properties"]["model"]["name"],
            hourly_usd=None if failed else hosting_of(tier, self._hourly_usd).hourly_usd,
            tier=tier,
            began_at=_made_at(found),
            raw_status="" if state == "Succeeded" else state,
        )

    def _delete(self, name: str) -> None:
        def ask() -> None:
            with understood("azure"):
                self._client.delete(self._path(name), cast_to=object, options=_VERSION)

        try:
            with_retries(ask)
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
        if state in _NEVER_UP:
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
            found = with_retries(ask)
        except NotFound:
            return None
        if not isinstance(found, dict):
            raise not_understood("azure")
        return found

    def _path(self, name: str) -> str:
        return f"{self._resource}/deployments/{name}"


def _is_tuned(found: dict[str, Any]) -> bool:
    """Whether a tuned model is deployed, and not a base; raises `BadAnswer` for what is no deployment."""
    try:
        model = str(found["properties"]["model"]["name"])
        _ = found["name"], found["sku"]["name"], found["properties"]["provisioningState"]
    except (KeyError, TypeError):
        raise not_understood("azure") from None
    return bool(_TUNED.fullmatch(model)) or model.startswith(_CHECKPOINT)


def _made_at(found: dict[str, Any]) -> datetime | None:
    """When it was deployed, by the `systemData` that Azure keeps of every resource."""
    try:
        made = datetime.fromisoformat(found["systemData"]["createdAt"])
    except (KeyError, TypeError, ValueError):
        return None
    return made.astimezone(UTC) if made.tzinfo else made.replace(tzinfo=UTC)


_VERSION: Any = {"params": {"api-version": API_VERSION}}
_NEVER_UP = ("Failed", "Canceled")
