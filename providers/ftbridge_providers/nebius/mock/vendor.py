"""Nebius Token Factory, mocked: OpenAI's mock with Nebius' hyperparameters, errors, weights and served adapters.

Sources: as in `adapter` and `serving`. Where they are silent the mock is plain: no metrics among the events,
a checkpoint with its files at the end of each epoch, and every adapter can be served.
"""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

from msgspec import Struct

from ftbridge.mock import Answer, Call, Moment, operation
from ftbridge.mock.weights import adapter_files, model_files
from ftbridge.model import Status
from ftbridge_providers.nebius.mock.files import check_training_file
from ftbridge_providers.openai.mock.bodies import File, Job, checkpoint_body, event_bodies, job_body, page_of
from ftbridge_providers.openai.mock.vendor import OpenAIMock

BASES = ("meta-llama/Llama-3.1-8B-Instruct", "meta-llama/Llama-3.3-70B-Instruct", "Qwen/Qwen3-8B", "Qwen/Qwen3-32B")
"""Some of the models open for tuning."""
SUFFIX_LIMIT = 64
_DEFAULTS: dict[str, Any] = {
    "batch_size": 8,
    "learning_rate": 0.00001,
    "n_epochs": 3,
    "warmup_ratio": 0.0,
    "weight_decay": 0.0,
    "packing": True,
    "max_grad_norm": 1.0,
    "context_length": 8192,
    "lora": False,
    "lora_r": 8,
    "lora_alpha": 8,
    "lora_dropout": 0.0,
}
"""`SupervisedHParameters`, with the documented defaults."""
_VALIDATING = 30.0
"""Seconds that Nebius takes to look at an adapter before it serves it."""


class Served(Struct, frozen=True):
    """A custom model, by the short name that was asked for and the full one that was given."""

    short: str
    name: str
    base_model: str
    source: str
    created_at: float


class NebiusMock(OpenAIMock):
    """One account at Nebius Token Factory."""

    name: ClassVar[str] = "nebius"
    key_env: ClassVar[str] = "NEBIUS_API_KEY"
    url_env: ClassVar[str] = "NEBIUS_BASE_URL"
    absent: ClassVar[frozenset[str]] = frozenset({"delete_model", "pause_job", "resume_job"})
    bases: ClassVar[dict[str, str]] = dict.fromkeys(BASES, "")

    def error(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> Any:
        """FastAPI's list for what is wrong with a request; other errors are not documented, and are OpenAI's."""
        if status == 422:
            return {"detail": [{"loc": ["body", *(param or "").split(".")], "msg": message, "type": "value_error"}]}
        return super().error(status, message, code=code, param=param)

    @operation("GET", "/v1/fine_tuning/jobs/{job_id}/events")
    def job_events(self, call: Call) -> Answer:
        """One page of a job's messages, newest first."""
        bodies = [body for body in event_bodies(self.job(call), self.now()) if body["type"] == "message"]
        page, more = page_of(bodies[::-1], call, 20)
        return Answer({"object": "list", "data": page, "has_more": more})

    @operation("GET", "/v1/fine_tuning/jobs/{job_id}/checkpoints")
    def job_checkpoints(self, call: Call) -> Answer:
        """Every checkpoint, newest first, each with the files of its weights."""
        job = self.job(call)
        found = [self.checkpoint(job, moment) for moment in job.script.until(self.now()) if moment.checkpoint]
        page, more = page_of(found[::-1], call, 10)
        edges = {"first_id": page[0]["id"] if page else None, "last_id": page[-1]["id"] if page else None}
        return Answer({"object": "list", "data": page, **edges, "has_more": more})

    @operation("POST", "/v0/models")
    def create_model(self, call: Call) -> Answer:
        """Have an adapter served."""
        job_id, _, checkpoint = call.body["source"].partition(":")
        job = self.store.get("jobs", job_id, Job)
        if job is None or not self.is_done(job) or not checkpoint:
            raise self.refusal(422, f"Checkpoint {call.body['source']} is not found", param="source")
        if not self.settings(job)["lora"]:
            raise self.refusal(422, "Only LoRA adapters can be served", param="source")
        base = call.body["base_model"].removesuffix("-fast")
        made = Served(
            short=call.body["name"],
            name=f"{base}-LoRa:{call.body['name']}-{secrets.token_hex(2)}",
            base_model=call.body["base_model"],
            source=call.body["source"],
            created_at=self.now(),
        )
        self.store.put("served", made.short, made)
        return Answer(
            {
                "name": made.name,
                "base_model": made.base_model,
                "source": made.source,
                "created_at": int(made.created_at),
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
        found = next((served for served in self.store.all("served", Served) if served.name == name), None)
        if found is None:
            raise self.refusal(404, f"Model {name} is not found")
        self.store.drop("served", found.short)
        return Answer({**self.custom_model(found), "status": "deleted"})

    def check_request(self, request: dict[str, Any]) -> None:
        """FastAPI's refusals."""
        if request.get("model") not in self.bases:
            raise self.refusal(422, "value is not a valid enumeration member", param="model")
        if request.get("method") and request.get("hyperparameters"):
            raise self.refusal(422, "Only one of 'method' or 'hyperparameters' must be provided", param="method")
        if len(request.get("suffix") or "") > SUFFIX_LIMIT:
            raise self.refusal(422, f"String should have at most {SUFFIX_LIMIT} characters", param="suffix")
        for name, value in (request.get("hyperparameters") or {}).items():
            if name in _DEFAULTS and isinstance(value, bool) is not isinstance(_DEFAULTS[name], bool):
                raise self.refusal(422, "Input should be of another type", param=f"hyperparameters.{name}")

    def resolved(self, request: dict[str, Any], examples: int) -> dict[str, Any]:
        """The hyperparameters with the defaults for what was not said."""
        given = request.get("hyperparameters") or (request.get("method") or {}).get("supervised", {}).get(
            "hyperparameters"
        )
        return {"type": "supervised", "supervised": {"hyperparameters": {**_DEFAULTS, **(given or {})}}}

    def settings(self, job: Job) -> dict[str, Any]:
        """The hyperparameters of a job."""
        found: dict[str, Any] = job.method["supervised"]["hyperparameters"]
        return found

    def read_rows(self, content: bytes, method: str) -> list[dict[str, Any]]:
        """The rows by Nebius' rules."""
        return check_training_file(content)

    def body(self, job: Job, word: str) -> dict[str, Any]:
        """A `FineTuningJob` of Nebius': steps and a suffix, but no model and no metadata."""
        body = job_body(job, self.now(), word)
        for name in ("fine_tuned_model", "metadata", "method"):
            del body[name]
        steps = [moment.step for moment in job.script.until(self.now()) if moment.step]
        return {
            **body,
            "hyperparameters": self.settings(job),
            "suffix": job.request.get("suffix"),
            "seed": job.request.get("seed") or 0,
            "organization_id": "",
            "result_files": self.weights(job) if job.script.status(self.now()) is Status.SUCCEEDED else [],
            "trained_steps": max(steps, default=0),
            "total_steps": job.script.steps,
        }

    def checkpoint(self, job: Job, moment: Moment) -> dict[str, Any]:
        """A `FineTuningJobCheckpoint`, whose files are made when it is first shown."""
        body = checkpoint_body(job, moment)
        return {**body, "fine_tuned_model_checkpoint": body["id"], "result_files": self.weights(job, moment.step)}

    def weights(self, job: Job, step: int | None = None) -> list[str]:
        """The ids of the files of a checkpoint, the last one if no step is named."""
        step = step or [moment.step for moment in job.script.moments if moment.checkpoint][-1]
        chosen, seed = self.settings(job), f"{job.id}-{step}"
        files = (
            adapter_files(
                job.request["model"],
                rank=chosen["lora_r"],
                alpha=chosen["lora_alpha"],
                dropout=chosen["lora_dropout"],
                seed=seed,
            )
            if chosen["lora"]
            else model_files(job.request["model"], seed=seed)
        )
        kept = []
        for number, (name, content) in enumerate(files.items()):
            file_id = f"file-{job.id.removeprefix('ftjob-')}{step}x{number}"
            if self.store.get("files", file_id, File) is None:
                self.keep(f"{job.id}/{step}/{name}", "fine-tune-results", content, file_id)
            kept.append(file_id)
        return kept

    def file(self, file_id: str, *, param: str | None = "id") -> File:
        """A file that is there, or the refusal."""
        file = self.store.get("files", file_id, File)
        if file is None:
            raise self.refusal(404, f"File {file_id} is not found")
        return file

    def served(self, model: str) -> Job | None:
        """The job behind an adapter that is served, `None` for a base."""
        if model in self.bases:
            return None
        found = next((served for served in self.store.all("served", Served) if served.name == model), None)
        if found is None or self.state(found) != "active":
            raise self.refusal(404, f"The model `{model}` does not exist.")
        return self.store.get("jobs", found.source.partition(":")[0], Job)

    def state(self, served: Served) -> str:
        """How far an adapter has come."""
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
