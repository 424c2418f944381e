"""Nebius Token Factory, mocked: the protocol with Nebius' hyperparameters, errors, weights and served adapters.

Sources: as in `adapter` and `serving`. Where they are silent the mock is simple: no metrics among the events,
a checkpoint with its files at the end of each epoch, and every adapter can be served.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from msgspec import Struct

from ftbridge.mock import Answer, Call, Moment, operation
from ftbridge.mock.request import request_faults
from ftbridge.mock.weights import adapter_files, model_files
from ftbridge_providers.nebius.mock.request import CreateJob, Hyperparameters
from ftbridge_providers.nebius.mock.training_file import check_training_file
from ftbridge_providers.openai_api.mock.bodies import File, Job
from ftbridge_providers.openai_api.mock.vendor import OpenAIApiMock

BASES = ("meta-llama/Llama-3.1-8B-Instruct", "meta-llama/Llama-3.3-70B-Instruct", "Qwen/Qwen3-8B", "Qwen/Qwen3-32B")
"""Some of the models open for tuning."""
SUFFIX_LIMIT = 64
_VALIDATING = 30.0
"""Seconds that Nebius takes to validate an adapter before it serves it."""


class Served(Struct, frozen=True):
    """A custom model: the short name of the request, and the full one that Nebius made of it."""

    short: str
    name: str
    base_model: str
    source: str
    created_at: float


class NebiusMock(OpenAIApiMock):
    """One account at Nebius Token Factory."""

    name: ClassVar[str] = "nebius"
    key_env: ClassVar[str] = "NEBIUS_API_KEY"
    url_env: ClassVar[str] = "NEBIUS_BASE_URL"
    base_path: ClassVar[str] = "/v1"
    bases: ClassVar[Sequence[str]] = BASES

    def error(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> Any:
        """FastAPI's list for an invalid request; other errors are not documented, and are OpenAI's."""
        if status == 422:
            return {"detail": [{"loc": ["body", *(param or "").split(".")], "msg": message, "type": "value_error"}]}
        return super().error(status, message, code=code, param=param)

    @operation("POST", "/v0/models")
    def create_model(self, call: Call) -> Answer:
        """Serve an adapter."""
        job_id, _, checkpoint = call.body["source"].partition(":")
        job = self.store.get("jobs", job_id, Job)
        if job is None or not self.is_done(job) or not checkpoint:
            raise self.refusal(422, f"Checkpoint {call.body['source']} is not found", param="source")
        if not job.hyperparameters["lora"]:
            raise self.refusal(422, "Only LoRA adapters can be served", param="source")
        base = call.body["base_model"].removesuffix("-fast")
        model = Served(
            short=call.body["name"],
            name=f"{base}-LoRa:{call.body['name']}-{secrets.token_hex(2)}",
            base_model=call.body["base_model"],
            source=call.body["source"],
            created_at=self.now(),
        )
        self.store.put("served", model.short, model)
        return Answer(
            {
                "name": model.name,
                "base_model": model.base_model,
                "source": model.source,
                "created_at": int(model.created_at),
                "status": "validating",
                "description": call.body.get("description"),
            }
        )

    @operation("GET", "/v0/models")
    def list_custom_models(self, call: Call) -> Answer:
        """The custom models of the account."""
        return Answer([self.custom_model(served) for served in self.store.all("served", Served)])

    @operation("DELETE", "/v0/models/{vendor}/{full_name}")
    def delete_custom_model(self, call: Call) -> Answer:
        """Stop serving an adapter."""
        name = f"{call.params['vendor']}/{call.params['full_name']}"
        model = self.find_served(name)
        if model is None:
            raise self.refusal(404, f"Model {name} is not found")
        self.store.drop("served", model.short)
        return Answer({**self.custom_model(model), "status": "deleted"})

    def check_request(self, request: dict[str, Any]) -> None:
        """Raises FastAPI's refusal of an invalid request."""
        for fault in request_faults(request, CreateJob):
            raise self.refusal(422, fault.message, param=fault.name)
        if request.get("model") not in self.bases:
            raise self.refusal(422, "value is not a valid enumeration member", param="model")
        if request.get("method") and request.get("hyperparameters"):
            raise self.refusal(422, "Only one of 'method' or 'hyperparameters' must be provided", param="method")
        if len(request.get("suffix") or "") > SUFFIX_LIMIT:
            raise self.refusal(422, f"String should have at most {SUFFIX_LIMIT} characters", param="suffix")

    def method_of(self, request: dict[str, Any], examples: int) -> dict[str, Any]:
        """The hyperparameters, with the defaults for those that are not given."""
        given = request.get("hyperparameters") or (request.get("method") or {}).get("supervised", {}).get(
            "hyperparameters"
        )
        return {
            "type": "supervised",
            "supervised": {"hyperparameters": {**Hyperparameters().model_dump(), **(given or {})}},
        }

    def read_rows(self, content: bytes, method: str) -> Iterable[dict[str, Any]]:
        """The rows by Nebius' rules."""
        return check_training_file(content)

    def body(self, job: Job, word: str) -> dict[str, Any]:
        """A `FineTuningJob` object of Nebius, with steps and a suffix; it has no model and no metadata."""
        steps = [moment.step for moment in job.script.until(self.now()) if moment.step]
        return {
            **super().body(job, word),
            "hyperparameters": job.hyperparameters,
            "suffix": job.request.get("suffix"),
            "seed": job.request.get("seed") or 0,
            "organization_id": "",
            "result_files": self.weights(job) if self.is_done(job) else [],
            "trained_steps": max(steps, default=0),
            "total_steps": job.script.steps,
        }

    def checkpoint(self, job: Job, moment: Moment) -> dict[str, Any]:
        """A `FineTuningJobCheckpoint` object, whose files are made when it is first read."""
        body = super().checkpoint(job, moment)
        return {**body, "fine_tuned_model_checkpoint": body["id"], "result_files": self.weights(job, moment.step)}

    def weights(self, job: Job, step: int | None = None) -> list[str]:
        """The ids of the files of the checkpoint at `step`, by default of the last one."""
        step = step or [moment.step for moment in job.script.moments if moment.checkpoint][-1]
        hyperparameters, seed = job.hyperparameters, f"{job.id}-{step}"
        files = (
            adapter_files(
                job.request["model"],
                rank=hyperparameters["lora_r"],
                alpha=hyperparameters["lora_alpha"],
                dropout=hyperparameters["lora_dropout"],
                seed=seed,
            )
            if hyperparameters["lora"]
            else model_files(job.request["model"], seed=seed)
        )
        file_ids = []
        for index, (name, content) in enumerate(files.items()):
            file_id = f"file-{job.number}{step}x{index}"
            if not self.exists(file_id):
                self.store_file(f"{job.id}/{step}/{name}", "fine-tune-results", content, file_id)
            file_ids.append(file_id)
        return file_ids

    def file(self, file_id: str, *, param: str | None = "id") -> File:
        """A stored file. Raises the refusal if there is none."""
        file = self.store.get("files", file_id, File)
        if file is None:
            raise self.refusal(404, f"File {file_id} is not served")
        return file

    def served_job(self, model: str) -> Job | None:
        """The job of an adapter that is served, `None` for a base."""
        if model in self.bases:
            return None
        served = self.find_served(model)
        if served is None or self.state(served) != "active":
            raise self.refusal(404, f"The model `{model}` does not exist.")
        return self.store.get("jobs", served.source.partition(":")[0], Job)

    def find_served(self, name: str) -> Served | None:
        """The custom model of that full name."""
        return next((served for served in self.store.all("served", Served) if served.name == name), None)

    def state(self, served: Served) -> str:
        """The status of a custom model."""
        return "active" if self.now() >= served.created_at + _VALIDATING / self.speed else "validating"

    def custom_model(self, served: Served) -> dict[str, Any]:
        """A `CustomModelInfoResponse` object."""
        job_id, _, checkpoint = served.source.partition(":")
        return {
            "type": "text2text",
            "name": served.name,
            "status": self.state(served),
            "status_reason": None,
            "vendor": served.name.partition("/")[0],
            "job_id": job_id,
            "checkpoint_id": checkpoint,
            "created_at": int(served.created_at),
        }
