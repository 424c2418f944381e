"""A service that trains OpenAI's models, mocked: methods, metadata, pauses, metrics, result files, model objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from ftbridge.mock import Answer, Call, Moment, operation
from ftbridge.mock.request import Body, request_faults
from ftbridge.model import Status
from ftbridge_providers.openai_api.gpt.mock.request import CreateJob, refused_with
from ftbridge_providers.openai_api.gpt.mock.training_file import check_chat, check_preference, check_training_file
from ftbridge_providers.openai_api.mock.bodies import File, Job, event_body, job_body
from ftbridge_providers.openai_api.mock.vendor import OpenAIApiMock

_COLUMNS = ("step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy")
_KEPT_CHECKPOINTS = 3
_HYPERPARAMETERS = ("n_epochs", "batch_size", "learning_rate_multiplier")
"""Those that the deprecated object at the top of a job has."""


class GptMock(OpenAIApiMock):
    """One organisation at OpenAI, or one resource at Azure."""

    create_body: ClassVar[type[Body]] = CreateJob
    """What a create request may hold."""

    @operation("POST", "/v1/fine_tuning/jobs/{job_id}/pause")
    def pause_job(self, call: Call) -> Answer:
        """Stop a job for now."""
        return self.control(call, lambda script: script.pause(self.now()))

    @operation("POST", "/v1/fine_tuning/jobs/{job_id}/resume")
    def resume_job(self, call: Call) -> Answer:
        """Let a paused job go on."""
        return self.control(call, lambda script: script.resume(self.now()))

    @operation("GET", "/v1/models/{model}")
    def get_model(self, call: Call) -> Answer:
        """One model."""
        name = call.params["model"]
        if name not in self.bases and self.job_of(name) is None:
            raise self.refusal(404, f"The model '{name}' does not exist", code="model_not_found", param="model")
        return Answer(self.model(name))

    def check_request(self, request: dict[str, Any]) -> None:
        """Raises the refusal of what a request cannot hold, or of a model that is not open for tuning."""
        for fault in request_faults(request, self.create_body):
            message, code, param = refused_with(fault)
            raise self.refusal(400, message, code=code, param=param)
        if request.get("model") not in self.bases and not str(request.get("model")).startswith("ft:"):
            raise self.refusal(
                400,
                f"Model {request.get('model')} is not available for fine-tuning or does not exist.",
                code="model_not_available",
                param="model",
            )

    def method_of(self, request: dict[str, Any], examples: int) -> dict[str, Any]:
        """The `method` with "auto" made numbers (epochs: OpenAI's cookbook, Chat_finetuning_data_prep).

        Hyperparameters at the top of a request are the deprecated form of those in a method.
        """
        method = request.get("method") or {"type": "supervised"}
        kind = method["type"]
        given = method.get(kind) or {}
        chosen = {**(request.get("hyperparameters") or {}), **(given.get("hyperparameters") or {})}
        values = {name: value for name, value in chosen.items() if value != "auto"}
        return {"type": kind, kind: {**given, "hyperparameters": {**self.defaults(kind, examples), **values}}}

    def defaults(self, kind: str, examples: int) -> dict[str, Any]:
        """The hyperparameters for a file of so many examples."""
        epochs = 3 if 100 <= examples * 3 <= 25_000 else max(1, min(25, 100 // max(examples, 1)))
        defaults = {"n_epochs": epochs, "batch_size": max(1, examples // 500), "learning_rate_multiplier": 1.8}
        return {**defaults, "beta": 0.1} if kind == "dpo" else defaults

    def read_rows(self, content: bytes, method: str) -> Iterable[dict[str, Any]]:
        """The rows of a file. Raises `FileProblem` where it would not be trained on."""
        return check_training_file(content, check_preference if method == "dpo" else check_chat)

    def served_job(self, model: str) -> Job | None:
        """The job that made a model; OpenAI serves tuned models without a deployment."""
        job = self.job_of(model)
        if job is None and model not in self.bases:
            raise self.refusal(404, f"The model `{model}` does not exist", code="model_not_found", param="model")
        return job

    def job_of(self, model: str) -> Job | None:
        """The finished job that made a model that is not deleted, by the model's id or a checkpoint's."""
        base = model.split(":ckpt-step-")[0]
        jobs = (job for job in self.store.all("jobs", Job) if job.model == base and model not in job.deleted)
        return next(filter(self.is_done, jobs), None)

    def saved(self, job: Job) -> list[Moment]:
        """The last three checkpoints."""
        return super().saved(job)[-_KEPT_CHECKPOINTS:]

    def metrics_event(self, job: Job, index: int, moment: Moment) -> dict[str, Any] | None:
        """The metrics of a training step."""
        metrics = {**self.metrics(job, moment), "total_steps": job.script.steps}
        message = self.metrics_message(job, moment)
        return {**event_body(job, index, moment.at, message), "type": "metrics", "data": metrics}

    def metrics_message(self, job: Job, moment: Moment) -> str:
        """The message of the event of a training step."""
        return f"Step {moment.step}/{job.script.steps}: training loss={moment.train_loss:.2f}"

    def file(self, file_id: str, *, param: str | None = "id") -> File:
        """A stored file; the result file of a job is stored when it is first read."""
        if not self.exists(file_id):
            for job in self.store.all("jobs", Job):
                if _result_file_id(job) == file_id and self.is_done(job):
                    self.store_file("step_metrics.csv", "fine-tune-results", self.result_file(job), file_id)
        return super().file(file_id, param=param)

    def result_file(self, job: Job) -> bytes:
        """The result file of a job: a row for each step, blank where a metric was not measured."""
        rows = [_losses(moment) for moment in job.script.moments if moment.step]
        return csv(_COLUMNS, rows)

    def body(self, job: Job, word: str) -> dict[str, Any]:
        """A `FineTuningJob` object."""
        done = job.script.status(self.now()) is Status.SUCCEEDED
        return {
            **job_body(job, self.now(), word),
            "organization_id": "org-mock",
            "fine_tuned_model": job.model if done else None,
            "result_files": [_result_file_id(job)] if done else [],
            "hyperparameters": {
                name: job.hyperparameters[name] for name in _HYPERPARAMETERS if name in job.hyperparameters
            },
            "method": job.method,
            "metadata": job.request.get("metadata"),
            "seed": job.request.get("seed") or 42,
        }


def csv(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> bytes:
    """A result file with these columns."""
    lines = [",".join(str(row.get(name, "")) for name in columns) for row in rows]
    return "\n".join([",".join(columns), *lines, ""]).encode()


def _result_file_id(job: Job) -> str:
    return f"file-{job.number}"


def _losses(moment: Moment) -> dict[str, Any]:
    row = {"step": moment.step, "train_loss": moment.train_loss, "train_accuracy": moment.token_accuracy}
    if moment.valid_loss is None:
        return row
    return {**row, "valid_loss": moment.valid_loss, "valid_mean_token_accuracy": moment.token_accuracy}
