"""Azure OpenAI as a provider: OpenAI's models, at an address of one's own, deployed before they are called.

Sources: github.com/MicrosoftDocs/azure-ai-docs, articles/foundry/openai/includes/fine-tuning-rest.md
(2025-02-27) and articles/foundry/includes/fine-tuning-direct-preference-optimization-job.md (2026-10-07);
the v1 OpenAPI document in github.com/Azure/azure-rest-api-specs, specification/ai/data-plane/OpenAI.v1.
"""

from __future__ import annotations

import re
import shutil
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from urllib.parse import urlsplit

from ftbridge.dataset import Converter
from ftbridge.errors import ConfigError, FtbridgeError, InvalidRequest, NotFound, ServerTrouble
from ftbridge.home import temporary_folder
from ftbridge.model import Method, Result, Spec, Status
from ftbridge.provider import Capabilities, Deployment, Files, Handling, HostingTerms
from ftbridge.provider.connection import Connection, open_connection
from ftbridge.provider.retry import poll_until
from ftbridge.provider.settings import HostedSettings, setting
from ftbridge_providers.azure.deployments import Deployments, check_tier, deployment_name, hosting_of
from ftbridge_providers.azure.format import AzureFormat
from ftbridge_providers.openai_api.client import open_client, require
from ftbridge_providers.openai_api.gpt.adapter import GptProvider
from ftbridge_providers.openai_api.gpt.request import HYPERPARAMETERS
from ftbridge_providers.openai_api.reading import STATUS as OPENAI_STATUS

if TYPE_CHECKING:
    from openai import OpenAI

T = TypeVar("T")

_RESOURCE = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.CognitiveServices/accounts/[^/]+", re.IGNORECASE
)

_NO_RFT = Handling(how="refused", note="It is a setting of reinforcement, which ftbridge does not offer at Azure.")

CAPABILITIES = Capabilities(
    methods=frozenset({Method.SFT, Method.DPO}),
    hyperparameters={
        **HYPERPARAMETERS,
        "reasoning_effort": _NO_RFT,
        "compute_multiplier": _NO_RFT,
        "eval_interval": Handling(how="refused", note="Azure chooses itself when it evaluates."),
        "eval_samples": _NO_RFT,
    },
    verbs=frozenset({"cancel", "pause", "resume", "checkpoints", "deploy", "chat", "list_models", "delete"}),
    continues="model",
    keeps={
        "model": "azure's v1 API deletes no models: delete it in the portal",
        "checkpoint": "azure's v1 API deletes no checkpoints: delete the model in the portal",
        "job": "azure's v1 API deletes no jobs: it keeps the settings and the events, not the rows",
    },
)

STATUS = {
    **OPENAI_STATUS,
    "created": Status.QUEUED,
    "pending": Status.QUEUED,
    "pausing": Status.RUNNING,
    "resuming": Status.RUNNING,
}
"""OpenAI's, and those that users have reported of Azure; its v1 document has only OpenAI's first six."""


class AzureSettings(HostedSettings):
    """`[providers.azure]` of ftbridge.toml."""

    secrets: ClassVar[Mapping[str, str]] = {
        "api_key": "AZURE_OPENAI_API_KEY",
        "management_token": "AZURE_MANAGEMENT_TOKEN",
    }
    base_url: str = setting("", env="AZURE_OPENAI_ENDPOINT", description="Where the API is.")
    management_url: str = setting(
        "https://management.azure.com", env="AZURE_MANAGEMENT_URL", description="Where deployments are managed."
    )
    resource_id: str = setting(
        "", env="AZURE_OPENAI_RESOURCE_ID", description="What `az cognitiveservices account show --query id` prints."
    )


class AzureProvider(GptProvider):
    """Azure OpenAI, supervised and by preferences, through OpenAI's SDK and the v1 API.

    The model of a target is a base, or `BASE.ft-…` to go on from a tuned one; `MODEL@TYPE` names the
    training type, such as GlobalStandard or developerTier, which decides the price and where the data is
    processed. A tuned model cannot be called until it is deployed.
    """

    name: ClassVar[str] = "azure"
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    settings_class: ClassVar[type[HostedSettings]] = AzureSettings
    settings: AzureSettings
    statuses: ClassVar[dict[str, Status]] = STATUS
    suffix_limit: ClassVar[int] = 40
    control_options: ClassVar[dict[str, Any]] = {"extra_body": {}}  # a POST without a body is answered 411
    transitional_statuses: ClassVar[frozenset[str]] = frozenset({"pausing", "resuming"})
    validation_seconds: ClassVar[float] = 1800.0
    """How long Azure may take to validate an uploaded file."""

    @cached_property
    def client(self) -> OpenAI:
        """The SDK's client, with the key in Azure's own header as well as the SDK's; the v1 API takes both."""
        base_url = self.connection.base_url.removesuffix("/openai/v1") + "/openai/v1"
        headers = {"api-key": self.connection.key()}
        connection = self.connection.model_copy(update={"base_url": base_url})
        return open_client(connection, timeout=self.timeout, headers=headers, on_response=self.clock.observe)

    @cached_property
    def management(self) -> OpenAI:
        """The SDK's client for the management API, which takes a token instead of the key."""
        return open_client(self._management_connection(), timeout=self.timeout)

    def close(self) -> None:
        """Close the connections of both clients."""
        super().close()
        if client := self.__dict__.pop("management", None):
            client.close()

    @property
    def connects_to_vendor(self) -> bool:
        """Whether the address is one of Microsoft's; every resource has its own."""
        return (urlsplit(self.base_url).hostname or "").endswith(".azure.com")

    def base_model(self, model: str) -> str:
        """The base model in a target's model, without the training type."""
        return model.partition("@")[0].split(".ft-")[0]

    def model_from(self, model: str, remote_id: str, result: Result) -> str:
        """The tuned model, with the training type that its own job had."""
        return super().model_from(model, remote_id, result) + "".join(model.partition("@")[1:])

    def converter(self, spec: Spec, model: str) -> Converter:
        """How Azure reads an example of `spec`'s data for `model`."""
        return AzureFormat(spec.target, model.partition("@")[0], spec.method)

    def upload(self, file: Path, *, key: str) -> str:
        """Upload the file behind the byte-order mark that Azure requires, and wait until Azure has validated it."""
        with temporary_folder(self.home) as folder:
            marked = folder / file.name
            with marked.open("wb") as out, file.open("rb") as rows:
                out.write(BOM_UTF8)
                shutil.copyfileobj(rows, out)
            file_id = super().upload(marked, key=key)
        if poll_until(partial(self._is_accepted, file_id), seconds=self.validation_seconds) is None:
            raise ServerTrouble(
                f"azure has not validated file {file_id} in {self.validation_seconds:.0f} s",
                provider=self.name,
                hint="Submit again later: the file is uploaded and will not be sent again.",
            )
        return file_id

    def _is_accepted(self, file_id: str) -> bool | None:
        """True once Azure has accepted the file. Raises `InvalidRequest` with Azure's reason if it refuses the file."""
        file = self._retry(lambda: require(self.name, self.client.files.retrieve(file_id)))
        if file.status == "error":
            raise InvalidRequest(
                f"azure refuses the file: {file.status_details or 'it gives no reason'}",
                provider=self.name,
                hint="Correct what it names; no job was created.",
            )
        return True if file.status == "processed" else None

    def request(self, spec: Spec, model: str, files: Files, tag: str) -> dict[str, Any]:
        """OpenAI's request, with the training type if the target names one."""
        base, _, training_type = model.partition("@")
        request = super().request(spec, base, files, tag)
        return {**request, "extra_body": {"trainingType": training_type}} if training_type else request

    def hosting_terms(self, tier: str | None = None) -> HostingTerms:
        """What a deployment costs by the hour; without a tier it is "standard"."""
        tier = tier or "standard"
        check_tier(tier)
        return hosting_of(tier, self._hourly_usd)

    def deployments(self) -> list[Deployment]:
        """The deployments of tuned models in this resource, by the management API."""
        return self._deployments().listed()

    def deploy(self, model: str, *, tier: str | None = None) -> Deployment:
        """Deploy a tuned model, or a checkpoint, as "standard", "globalstandard" or "developertier"."""
        tier = tier or "standard"
        check_tier(tier)
        return self._deployments().deploy(model, tier)

    def undeploy(self, model: str) -> None:
        """Remove the model's deployments, and with them the hourly charge."""
        self._deployments().undeploy(model)

    def complete(self, model: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """One chat completion by the deployment of `model`: ftbridge's, or one that somebody else created."""
        complete = super().complete
        return self._by_deployment(model, lambda name: complete(name, body))

    def stream(self, model: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The chunks as they arrive, by the same deployment."""
        stream = super().stream
        return self._by_deployment(model, lambda name: stream(name, body))

    def _by_deployment(self, model: str, call: Callable[[str], T]) -> T:
        """What `call` returns for the deployment's name."""
        try:
            return call(self._names.get(model) or deployment_name(model))
        except NotFound as problem:
            if model not in self._names and (name := self._other_name(model)):
                self._names[model] = name
                return self._by_deployment(model, call)
            price = f"${self._hourly_usd:.2f} " if self._hourly_usd else ""
            problem.hint = (
                f"Deploy it first, with `ftbridge deploy JOB`: azure bills {price}for every hour that it is deployed."
                " A new deployment may need some minutes."
            )
            raise

    def _other_name(self, model: str) -> str | None:
        """The name of a deployment of `model` that ftbridge did not create, where the management API can be called."""
        try:
            served = [one for one in self.deployments() if one.model == model and not one.raw_status]
        except FtbridgeError:
            return None
        return next((one.name for one in served if one.name != deployment_name(model)), None)

    @cached_property
    def _names(self) -> dict[str, str]:
        return {}

    def _deployments(self) -> Deployments:
        resource = self.settings.resource_id.rstrip("/")
        if not _RESOURCE.fullmatch(resource):
            raise ConfigError(
                f"{self.settings.source('resource_id')} = {resource!r} is not the id of an Azure OpenAI resource",
                hint="Set it to what `az cognitiveservices account show --query id` prints.",
            )
        return Deployments(self.management, resource, self._hourly_usd)

    @property
    def _hourly_usd(self) -> float | None:
        """The price of a deployment, by the catalogue."""
        known = [row.hosting_usd_per_hour for row in self.catalogue() if row.hosting_usd_per_hour]
        return known[-1] if known else None

    def _management_connection(self) -> Connection:
        return open_connection(
            self.name,
            self.settings,
            url="management_url",
            key="management_token",
            service="azure's management API (`az account get-access-token --query accessToken` prints one)",
            environment=self.environment,
        )
