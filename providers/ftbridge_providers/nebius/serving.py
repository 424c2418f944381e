"""Custom models: what Nebius serves adapters as, after they were deployed.

Source: docs.tokenfactory.nebius.com/api-reference/models (OpenAPI document 20260506), `/v0/models`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from ftbridge.errors import BadAnswer, NetworkError, NotFound, ProviderError, ServerTrouble
from ftbridge.provider import Deployment
from ftbridge.provider.retry import poll_until, with_retries
from ftbridge_providers.openai.client import not_understood, understood

if TYPE_CHECKING:
    from openai import OpenAI


class Serving:
    """The custom models of one account, known by the job that made each."""

    validating_seconds = 3600.0
    """How long Nebius may take to look at an adapter."""

    def __init__(self, client: OpenAI) -> None:
        self._client = client
        self._models = str(client.base_url).rstrip("/").removesuffix("/v1") + "/v0/models"

    def deploy(self, job_id: str, checkpoint: str, *, base: str, name: str) -> str:
        """Have a checkpoint served, unless its job has one served already; the name to call it by.

        One request makes it, which is not sent again: after an answer that tells neither yes nor no
        the listing is asked.
        """
        if self._served(job_id) is None:
            try:
                self._make({"name": name, "base_model": base, "source": f"{job_id}:{checkpoint}"})
            except (ServerTrouble, NetworkError, BadAnswer):
                if self._served(job_id) is None:
                    raise
        found = poll_until(partial(self._active, job_id), seconds=self.validating_seconds)
        if found is None:
            raise ServerTrouble(
                f"nebius has not made an adapter of {job_id} ready in {self.validating_seconds / 60:.0f} minutes",
                provider="nebius",
                hint="`ftbridge deploy` goes on waiting; `ftbridge undeploy` removes it.",
            )
        return found

    def undeploy(self, job_id: str) -> None:
        """Stop serving what the job made, if it is served."""
        for found in self._all():
            if found["job_id"] == job_id:
                self._delete(str(found["name"]))

    def listed(self) -> list[Deployment]:
        """The custom models that were made of jobs; nebius bills what they say by the token, and no hours."""
        return [_read(found) for found in self._all() if found["job_id"]]

    def _delete(self, name: str) -> None:
        def ask() -> None:
            with understood("nebius"):
                self._client.delete(f"{self._models}/{name}", cast_to=object)

        try:
            with_retries(ask)
        except NotFound:
            return

    def name_of(self, job_id: str) -> str:
        """What the job's model is called by. Raises `NotFound`, with what to do, where it is not served."""
        found = self._served(job_id)
        if found is None or found["status"] != "active":
            state = f"is {found['status']}" if found else "is not deployed"
            raise NotFound(
                f"nebius does not serve the model of {job_id}: it {state}",
                provider="nebius",
                hint="Deploy it first, with `ftbridge deploy JOB`; or fetch the weights and serve them yourself.",
            )
        return str(found["name"])

    def _active(self, job_id: str) -> str | None:
        """The name of what is served. Raises `ProviderError` where it never will be."""
        found = self._served(job_id)
        if found and found["status"] == "error":
            raise ProviderError(
                f"nebius cannot serve the model of {job_id}: {found.get('status_reason') or 'it does not say why'}",
                provider="nebius",
                hint="Only adapters of some bases are served. `ftbridge undeploy` removes it; `fetch` brings it home.",
            )
        return str(found["name"]) if found and found["status"] == "active" else None

    def _served(self, job_id: str) -> dict[str, Any] | None:
        """The custom model that was made of the job, whatever has become of it."""
        return next((found for found in self._all() if found["job_id"] == job_id), None)

    def _all(self) -> list[dict[str, Any]]:
        """The custom models that are there, each with its name, status and, where it was made of one, job."""

        def ask() -> object:
            with understood("nebius"):
                return self._client.get(self._models, cast_to=object)

        listed = with_retries(ask)
        if not isinstance(listed, list) or not all(isinstance(found, dict) and "name" in found for found in listed):
            raise not_understood("nebius")
        known = ({"job_id": None, "status": "", **found} for found in listed)
        return [found for found in known if found["status"] != "deleted"]

    def _make(self, body: dict[str, Any]) -> None:
        with understood("nebius"):
            self._client.post(self._models, cast_to=object, body=body)


def _read(found: dict[str, Any]) -> Deployment:
    made_at = found.get("created_at")
    return Deployment(
        name=str(found["name"]),
        model=str(found["job_id"]),
        hourly_usd=0.0,
        began_at=datetime.fromtimestamp(made_at, UTC) if isinstance(made_at, int | float) else None,
        raw_status="" if found["status"] == "active" else str(found["status"]),
    )
