"""Azure OpenAI, mocked: the API at Azure's addresses, with Azure's statuses, and the management API.

Where Microsoft's documents are silent the mock is lenient: it takes files with or without a byte-order
mark, and any training type. See `adapter` and `deployments` for the documents.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from msgspec import Struct
from starlette.requests import Request

from ftbridge.mock import Answer, Call, Moment, operation
from ftbridge.model import Status
from ftbridge_providers.openai_api.gpt.mock.request import CreateJob
from ftbridge_providers.openai_api.gpt.mock.vendor import GptMock, csv
from ftbridge_providers.openai_api.mock.bodies import File, Job, file_body

END_DATES = {
    "gpt-4.1-2025-04-14": "2027-10-14",
    "gpt-4.1-mini-2025-04-14": "2027-10-14",
    "gpt-4o-2024-08-06": "2027-10-01",
    "gpt-4o-mini-2024-07-18": "2027-10-01",
}
"""Some models open for tuning, and when their deployments end (Microsoft's retirement schedule, 2026-07-07)."""
RESOURCE = "/subscriptions/mock/resourceGroups/mock/providers/Microsoft.CognitiveServices/accounts/mock"
SUFFIX_LIMIT = 40
_DEPLOYMENTS = (
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.CognitiveServices"
    "/accounts/{account}/deployments"
)
_DEPLOYMENT = _DEPLOYMENTS + "/{deployment}"
_STATUS_WORDS = {Status.QUEUED: "pending"}
_CHECKING, _PAUSING, _PROVISIONING = 5.0, 5.0, 60.0
"""Seconds that Azure takes to validate a file, to pause, and to provision a deployment."""
_DEVELOPER_HOURS = 24.0
_PAGE = 2
"""Deployments on a page of the listing: few, so that clients have to follow the pages."""


_COLUMNS = (
    "step",
    "train_loss",
    "train_mean_token_accuracy",
    "valid_loss",
    "validation_mean_token_accuracy",
    "full_valid_loss",
    "full_valid_mean_token_accuracy",
)


class CreateAzureJob(CreateJob):
    """OpenAI's request, with Azure's training type."""

    trainingType: str | None = None  # noqa: N815  # as Azure has it


class Served(Struct, frozen=True):
    """A deployment."""

    name: str
    model: str
    sku: dict[str, Any]
    created_at: float


class AzureMock(GptMock):
    """One Azure OpenAI resource, and the part of the management API that deploys its models."""

    name: ClassVar[str] = "azure"
    base_path: ClassVar[str] = ""
    key_env: ClassVar[str] = "AZURE_OPENAI_API_KEY"
    url_env: ClassVar[str] = "AZURE_OPENAI_ENDPOINT"
    bases: ClassVar[Sequence[str]] = tuple(END_DATES)
    create_body: ClassVar[type[CreateJob]] = CreateAzureJob

    def environment(self, url: str) -> dict[str, str]:
        """The resource's address and key, and the variables of the management API."""
        management = {"AZURE_MANAGEMENT_URL": url, "AZURE_MANAGEMENT_TOKEN": "mock-key"}
        return {**super().environment(url), **management, "AZURE_OPENAI_RESOURCE_ID": RESOURCE}

    def mount_path(self, path: str) -> str:
        """The v1 API is below /openai."""
        return f"/openai{path}" if path.startswith("/v1/") else path

    def authorised(self, request: Request) -> bool:
        """By the key in its own header, or as a bearer token; the management API takes a bearer token only."""
        return super().authorised(request) or (
            "/openai/v1/" in request.url.path and bool(request.headers.get("api-key"))
        )

    @operation("POST", "/v1/fine_tuning/jobs/{job_id}/cancel")
    def cancel_job(self, call: Call) -> Answer:
        """Stop a job for good; a request without a body is refused."""
        if call.body is None:
            raise self.refusal(411, "Length Required")
        return super().cancel_job(call)

    @operation("POST", "/v1/fine_tuning/jobs/{job_id}/pause")
    def pause_job(self, call: Call) -> Answer:
        """Stop a job for now, once it runs and has made a step."""
        script = self.job(call).script
        steps = [moment for moment in script.until(self.now()) if moment.step]
        if script.status(self.now()) is not Status.RUNNING or not steps:
            raise self.refusal(400, "Only a running job that has made a step can be paused.", code="invalidOperation")
        return super().pause_job(call)

    @operation("PUT", _DEPLOYMENT)
    def put_deployment(self, call: Call) -> Answer:
        """Deploy a model, unless it is deployed."""
        self.check_version(call)
        model, name = call.body["properties"]["model"], call.params["deployment"]
        if model["name"] not in self.bases and self.job_of(model["name"]) is None:
            message = f"The model '{model['name']}' is not available for deployment."
            raise self.refusal(400, message, code="DeploymentModelNotSupported")
        known = self.deployment(name)
        made = known or Served(name, model["name"], call.body["sku"], self.now())
        self.store.put("deployments", name, made)
        return Answer(self.deployment_body(made), 200 if known else 201)

    @operation("GET", _DEPLOYMENT)
    def get_deployment(self, call: Call) -> Answer:
        """One deployment."""
        self.check_version(call)
        served = self.deployment(call.params["deployment"])
        if served is None:
            raise self.refusal(404, "The deployment does not exist.", code="ResourceNotFound")
        return Answer(self.deployment_body(served))

    @operation("GET", _DEPLOYMENTS)
    def list_deployments(self, call: Call) -> Answer:
        """One page of the deployments, by name."""
        self.check_version(call)
        names = [served.name for served in self.store.all("deployments", Served)]
        current = [served for name in names if (served := self.deployment(name))]
        start = int(call.query.get("$skipToken", "0"))
        body: dict[str, Any] = {"value": [self.deployment_body(served) for served in current[start : start + _PAGE]]}
        if start + _PAGE < len(current):
            version = call.query["api-version"]
            query = f"api-version={version}&$skipToken={start + _PAGE}"
            body["nextLink"] = f"https://management.azure.com{call.path}?{query}"
        return Answer(body)

    @operation("DELETE", _DEPLOYMENT)
    def delete_deployment(self, call: Call) -> Answer:
        """Remove a deployment; its model stays."""
        self.check_version(call)
        existed = self.store.drop("deployments", call.params["deployment"])
        return Answer(status=200 if existed else 204, content=b"")

    def deployment(self, name: str) -> Served | None:
        """A current deployment; those of the developer tier are removed after a day."""
        served = self.store.get("deployments", name, Served)
        ends = served and served.created_at + _DEVELOPER_HOURS * 3600 / self.speed
        if served and ends and served.sku["name"].lower() == "developertier" and self.now() >= ends:
            self.store.drop("deployments", name)
            return None
        return served

    def check_version(self, call: Call) -> None:
        """The management API refuses requests without a version."""
        if "api-version" not in call.query:
            message = "The api-version query parameter (?api-version=) is required for all requests."
            raise self.refusal(400, message, code="MissingApiVersionParameter")

    def check_request(self, request: dict[str, Any]) -> None:
        """Raises the refusal of a model that is not open for tuning, or of a long suffix."""
        super().check_request({**request, "model": str(request.get("model")).split(".ft-")[0]})
        if len(request.get("suffix") or "") > SUFFIX_LIMIT:
            raise self.refusal(400, f"The suffix is longer than {SUFFIX_LIMIT} characters.", param="suffix")

    def served_job(self, model: str) -> Job | None:
        """The job of a deployment: models are called by the names of their deployments."""
        served = self.deployment(model)
        if served is None or self.state(served) != "Succeeded":
            message = (
                "The API deployment for this resource does not exist. If you created the deployment within the last"
                " 5 minutes, please wait a moment and try again."
            )
            raise self.refusal(404, message, code="DeploymentNotFound")
        return self.job_of(served.model)

    def state(self, deployment: Served) -> str:
        """The provisioning state of a deployment."""
        return "Succeeded" if self.now() >= deployment.created_at + _PROVISIONING / self.speed else "Creating"

    def deployment_body(self, deployment: Served) -> dict[str, Any]:
        """A `Deployment` object of the management API."""
        return {
            "id": f"{RESOURCE}/deployments/{deployment.name}",
            "name": deployment.name,
            "type": "Microsoft.CognitiveServices/accounts/deployments",
            "sku": deployment.sku,
            "systemData": {"createdAt": datetime.fromtimestamp(deployment.created_at, UTC).isoformat()},
            "properties": {
                "model": {"format": "OpenAI", "name": deployment.model, "version": "1"},
                "provisioningState": self.state(deployment),
            },
        }

    def model_name(self, request: dict[str, Any], number: str) -> str:
        """`BASE.ft-…`, with 32 hexadecimal digits and the suffix."""
        suffix = f"-{request['suffix']}" if request.get("suffix") else ""
        return f"{request['model'].split('.ft-')[0]}.ft-{number.ljust(32, '0')}{suffix}"

    def read_rows(self, content: bytes, method: str) -> Iterable[dict[str, Any]]:
        """The rows after the byte-order mark."""
        return super().read_rows(content.removeprefix(BOM_UTF8), method)

    def status_word(self, job: Job) -> str:
        """OpenAI's words, and "pending" for a queue, and "pausing" until the weights are saved."""
        moments = [moment for moment in job.script.until(self.now()) if moment.status]
        if moments[-1].status is Status.PAUSED and self.now() < moments[-1].at + _PAUSING / self.speed:
            return "pausing"
        return _STATUS_WORDS.get(job.script.status(self.now())) or super().status_word(job)

    def body(self, job: Job, word: str) -> dict[str, Any]:
        """OpenAI's job object, with the requested suffix."""
        return {**super().body(job, word), "user_provided_suffix": job.request.get("suffix")}

    def file_body(self, file: File) -> dict[str, Any]:
        """A `File` object, pending for a while; a file that is clearly not JSON Lines ends as an error."""
        if self.now() < file.created_at + _CHECKING / self.speed:
            return {**file_body(file), "status": "pending"}
        if file.purpose == "fine-tune" and not self.content(file.id).removeprefix(BOM_UTF8).startswith(b"{"):
            message = "Expected file to have JSONL format, where every line is a JSON dictionary."
            return {**file_body(file), "status": "error", "status_details": message}
        return file_body(file)

    def result_file(self, job: Job) -> bytes:
        """The result file, in Azure's columns."""
        return csv(_COLUMNS, [_losses(moment) for moment in job.script.moments if moment.step])


def _losses(moment: Moment) -> dict[str, Any]:
    row = {"step": moment.step, "train_loss": moment.train_loss, "train_mean_token_accuracy": moment.token_accuracy}
    if moment.valid_loss is None:
        return row
    return {**row, "full_valid_loss": moment.valid_loss, "full_valid_mean_token_accuracy": moment.token_accuracy}
