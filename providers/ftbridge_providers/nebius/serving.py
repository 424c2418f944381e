"""Custom models: the deployed adapters that Nebius serves.

Source: docs.tokenfactory.nebius.com/api-reference/models (OpenAPI document 20260506), `/v0/models`.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from ftbridge.errors import BadAnswer, NetworkError, NotFound, ProviderError, ServerTrouble
from ftbridge.provider import Deployment
from ftbridge.provider.retry import poll_until
from ftbridge_providers.openai_api.client import retry_read, translated_errors, unexpected_answer

if TYPE_CHECKING:
    from openai import OpenAI


class Serving:
    """The custom models of one account, by the job that made each."""

    validating_seconds = 3600.0
    """How long Nebius may take to validate an adapter."""

    def __init__(self, client: OpenAI) -> None:
        self._client = client
        self._models = str(client.base_url).rstrip("/").removesuffix("/v1") + "/v0/models"

    def deploy(self, job_id: str, checkpoint: str, *, base: str, name: str) -> str:
        """Serve a checkpoint, unless one of its job is served; returns the name to call it by.

        The request is sent once: after an answer that does not say whether it succeeded, the listing is read.
        """
        if self._find(job_id) is None:
            try:
                self._create({"name": name, "base_model": base, "source": f"{job_id}:{checkpoint}"})
            except (ServerTrouble, NetworkError, BadAnswer):
                if self._find(job_id) is None:
                    raise
        served_name = poll_until(partial(self._active_name, job_id), seconds=self.validating_seconds)
        if served_name is None:
            raise ServerTrouble(
                f"nebius has not made the adapter of {job_id} ready in {self.validating_seconds / 60:.0f} minutes",
                provider="nebius",
                hint="`ftbridge deploy` waits for it again; `ftbridge undeploy` removes it.",
            )
        return served_name

    def undeploy(self, job_id: str) -> None:
        """Stop serving the job's adapter, if it is served."""
        for model in self._list():
            if model["job_id"] == job_id:
                self._delete(str(model["name"]))

    def listed(self) -> list[Deployment]:
        """The custom models that were created from jobs; Nebius bills them by the token, not by the hour."""
        return [_read(model) for model in self._list() if model["job_id"]]

    def _delete(self, name: str) -> None:
        with suppress(NotFound):
            retry_read("nebius", lambda: self._client.delete(f"{self._models}/{name}", cast_to=object))

    def name_of(self, job_id: str) -> str:
        """The name by which the job's model is called. Raises `NotFound` where it is not served."""
        model = self._find(job_id)
        if model is None or model["status"] != "active":
            state = f"is {model['status']}" if model else "is not deployed"
            raise NotFound(
                f"nebius does not serve the model of {job_id}: it {state}",
                provider="nebius",
                hint="Deploy it first, with `ftbridge deploy JOB`; or fetch the weights and serve them yourself.",
            )
        return str(model["name"])

    def _active_name(self, job_id: str) -> str | None:
        """The name of the job's model once it is served. Raises `ProviderError` if it has failed."""
        model = self._find(job_id)
        if model and model["status"] == "error":
            raise ProviderError(
                f"nebius cannot serve the model of {job_id}: {model.get('status_reason') or 'it gives no reason'}",
                provider="nebius",
                hint="Only adapters of some bases are served. `ftbridge undeploy` removes it; `fetch` downloads it.",
            )
        return str(model["name"]) if model and model["status"] == "active" else None

    def _find(self, job_id: str) -> dict[str, Any] | None:
        """The custom model that was created from the job, in whatever status."""
        return next((model for model in self._list() if model["job_id"] == job_id), None)

    def _list(self) -> list[dict[str, Any]]:
        """The custom models that are not deleted, each with its name, its status, and its job if it has one."""
        answer: object = retry_read("nebius", lambda: self._client.get(self._models, cast_to=object))
        if not isinstance(answer, list) or not all(isinstance(model, dict) and "name" in model for model in answer):
            raise unexpected_answer("nebius")
        models = ({"job_id": None, "status": "", **model} for model in answer)
        return [model for model in models if model["status"] != "deleted"]

    def _create(self, body: dict[str, Any]) -> None:
        with translated_errors("nebius"):
            self._client.post(self._models, cast_to=object, body=body)


def _read(model: dict[str, Any]) -> Deployment:
    return Deployment(
        name=str(model["name"]),
        model=str(model["job_id"]),
        hourly_usd=0.0,
        began_at=model.get("created_at"),
        raw_status="" if model["status"] == "active" else str(model["status"]),
    )
