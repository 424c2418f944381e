"""OpenAI, mocked: files, jobs, events, checkpoints, models and chat as its OpenAPI document has them (2026-08).

Where the document is silent the mock follows what users have seen: the order of events (newest
first), their wording, and the errors of `mock_files`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from msgspec import structs

from ftbridge.mock import Answer, Call, Script, operation, write_script
from ftbridge.mock.recall import answer_of, completion
from ftbridge.model import Status
from ftbridge_providers.openai.mock import reinforcement
from ftbridge_providers.openai.mock.bodies import (
    WORDS,
    File,
    Job,
    checkpoint_body,
    event_bodies,
    is_kept,
    job_body,
    page_of,
    result_csv,
    result_file_id,
)
from ftbridge_providers.openai.mock.training_file import FileProblem, check_training_file
from ftbridge_providers.openai.mock.uploads import OpenAIFiles

BASES = {
    "gpt-4.1-2025-04-14": "2027-01-14",
    "gpt-4.1-mini-2025-04-14": "2027-01-14",
    "gpt-4o-2024-08-06": "2027-01-14",
    "gpt-4o-mini-2024-07-18": "2027-01-14",
    reinforcement.MODEL: "2026-10-23",
}
"""Models that were open for tuning in 2026, and when they are shut down (OpenAI's deprecations page, 2026-10-14)."""

_CHOSEN: dict[str, dict[str, Any]] = {"dpo": {"beta": 0.1}, reinforcement.METHOD: reinforcement.CHOSEN}


class OpenAIMock(OpenAIFiles):
    """One organisation at OpenAI."""

    name: ClassVar[str] = "openai"
    base_path: ClassVar[str] = "/v1"
    key_env: ClassVar[str] = "OPENAI_API_KEY"
    url_env: ClassVar[str] = "OPENAI_BASE_URL"
    quota: ClassVar[tuple[int, str | None]] = (429, "insufficient_quota")
    bases: ClassVar[dict[str, str]] = BASES
    phases: ClassVar[Sequence[tuple[Status, float]]] = (
        (Status.VALIDATING, 20.0),
        (Status.QUEUED, 20.0),
        (Status.RUNNING, 140.0),
    )
    winding_down: bool = False
    """Whether this organisation can make new jobs no more, as many cannot since 2026-05."""

    @operation("POST", "/v1/fine_tuning/jobs")
    def create_job(self, call: Call) -> Answer:
        """Make a job; what is wrong with the data shows later, as the job's failure."""
        request = call.body
        self.check_request(request)
        content = self.content(self.file(request.get("training_file", ""), param="training_file").id)
        if request.get("validation_file"):
            self.file(request["validation_file"], param="validation_file")
        job = self.make_job(request, content)
        self.store.put("jobs", job.id, job)
        return Answer(self.show(job))

    @operation("GET", "/v1/fine_tuning/jobs")
    def list_jobs(self, call: Call) -> Answer:
        """One page of jobs, newest first, filtered by metadata."""
        wanted = {name[9:-1]: value for name, value in call.query.items() if name.startswith("metadata[")}
        visible = self.listed_until()
        jobs = [job for job in self.store.all("jobs", Job) if job.created_at <= visible]
        jobs = [job for job in jobs if wanted.items() <= (job.request.get("metadata") or {}).items()]
        jobs.sort(key=lambda job: job.created_at, reverse=True)
        page, more = page_of([self.show(job) for job in jobs], call, 20)
        return Answer({"object": "list", "data": page, "has_more": more})

    @operation("GET", "/v1/fine_tuning/jobs/{job_id}")
    def get_job(self, call: Call) -> Answer:
        """One job."""
        return Answer(self.show(self.job(call)))

    @operation("POST", "/v1/fine_tuning/jobs/{job_id}/cancel")
    def cancel_job(self, call: Call) -> Answer:
        """Stop a job for good."""
        return self.steer(call, lambda script: script.cut(self.now(), Status.CANCELLED))

    @operation("POST", "/v1/fine_tuning/jobs/{job_id}/pause")
    def pause_job(self, call: Call) -> Answer:
        """Stop a job for now."""
        return self.steer(call, lambda script: script.pause(self.now()))

    @operation("POST", "/v1/fine_tuning/jobs/{job_id}/resume")
    def resume_job(self, call: Call) -> Answer:
        """Let a paused job go on."""
        return self.steer(call, lambda script: script.resume(self.now()))

    @operation("GET", "/v1/fine_tuning/jobs/{job_id}/events")
    def job_events(self, call: Call) -> Answer:
        """One page of a job's events, newest first."""
        page, more = page_of(event_bodies(self.job(call), self.now())[::-1], call, 20)
        return Answer({"object": "list", "data": page, "has_more": more})

    @operation("GET", "/v1/fine_tuning/jobs/{job_id}/checkpoints")
    def job_checkpoints(self, call: Call) -> Answer:
        """Three checkpoints, newest first: the last ones, or those of the highest reward."""
        job = self.job(call)
        found = [moment for moment in job.script.until(self.now()) if is_kept(job, moment)]
        if job.method["type"] == reinforcement.METHOD:
            found.sort(key=lambda moment: moment.token_accuracy or 0.0)
        found = sorted(found[-3:], key=lambda moment: moment.step, reverse=True)
        page, more = page_of([checkpoint_body(job, moment) for moment in found], call, 10)
        edges = {"first_id": page[0]["id"] if page else None, "last_id": page[-1]["id"] if page else None}
        return Answer({"object": "list", "data": page, **edges, "has_more": more})

    @operation("GET", "/v1/models")
    def list_models(self, call: Call) -> Answer:
        """The bases and the tuned models."""
        tuned = [job.model for job in self.store.all("jobs", Job) if self.is_done(job)]
        return Answer({"object": "list", "data": [self.model_body(name) for name in [*self.bases, *tuned]]})

    @operation("GET", "/v1/models/{model}")
    def get_model(self, call: Call) -> Answer:
        """One model."""
        name = call.params["model"]
        if name not in self.bases and self.job_of(name) is None:
            raise self.refusal(404, f"The model '{name}' does not exist", code="model_not_found", param="model")
        return Answer(self.model_body(name))

    @operation("DELETE", "/v1/models/{model}")
    def delete_model(self, call: Call) -> Answer:
        """Delete a tuned model, and the job with it."""
        job = self.job_of(call.params["model"])
        if job is None:
            raise self.refusal(404, "The model does not exist", code="model_not_found", param="model")
        self.store.drop("jobs", job.id)
        return Answer({"id": call.params["model"], "object": "model", "deleted": True})

    @operation("POST", "/v1/chat/completions")
    def chat(self, call: Call) -> Answer:
        """A tuned model knows its training rows by heart."""
        name, messages = call.body["model"], call.body["messages"]
        job = self.served(name)
        text = answer_of(map(reinforcement.answered, self.rows(job) if job else []), messages)
        beside: dict[str, Any] = {"message": {"refusal": None}, "choice": {"logprobs": None}}
        return Answer(completion(name, messages, text, self.now(), **beside))

    def check_request(self, request: dict[str, Any]) -> None:
        """Refuse a create request that cannot become a job."""
        if self.winding_down:
            said = "OpenAI is winding down the fine-tuning platform and your organization is no longer able to create"
            raise self.refusal(403, f"{said} new fine-tuning training jobs.", code="training_not_available")
        if request.get("model") not in self.bases and not str(request.get("model")).startswith("ft:"):
            raise self.refusal(
                400,
                f"Model {request.get('model')} is not available for fine-tuning or does not exist.",
                code="model_not_available",
                param="model",
            )
        if fault := reinforcement.find_fault(request):
            said, code, param = fault
            raise self.refusal(400, said, code=code, param=param)

    def served(self, model: str) -> Job | None:
        """The job whose model is talked to, `None` where it is a base; or the refusal."""
        job = self.job_of(model)
        if job is None and model not in self.bases:
            raise self.refusal(404, f"The model `{model}` does not exist", code="model_not_found", param="model")
        return job

    def file(self, file_id: str, *, param: str | None = "id") -> File:
        """A file that is there, or the refusal; a job's results are a file as soon as it is done."""
        if self.store.get("files", file_id, File) is None:
            done = [job for job in self.store.all("jobs", Job) if result_file_id(job) == file_id and self.is_done(job)]
            for job in done:
                self.keep("step_metrics.csv", "fine-tune-results", self.results(job), file_id)
        return super().file(file_id, param=param)

    def results(self, job: Job) -> bytes:
        """The result file of a job."""
        return result_csv(job)

    def job(self, call: Call) -> Job:
        """The job that the path names, or the refusal."""
        job = self.store.get("jobs", call.params["job_id"], Job)
        if job is None:
            said = f"Could not find fine tune: {call.params['job_id']}"
            raise self.refusal(404, said, code="fine_tune_not_found", param="fine_tune_id")
        return job

    def job_of(self, model: str) -> Job | None:
        """The finished job that made a model, by the model's id or a checkpoint's."""
        base = model.split(":ckpt-step-")[0]
        jobs = self.store.all("jobs", Job)
        return next((job for job in jobs if job.model == base and self.is_done(job)), None)

    def is_done(self, job: Job) -> bool:
        """Whether the job has succeeded by now."""
        return job.script.status(self.now()) is Status.SUCCEEDED

    def rows(self, job: Job) -> list[dict[str, Any]]:
        """The rows a job was trained on."""
        return list(self.read_rows(self.content(job.request["training_file"]), job.method["type"]))

    def read_rows(self, content: bytes, method: str) -> Iterable[dict[str, Any]]:
        """The rows of a file, one at a time. Raises `FileProblem` where the vendor would not train on it."""
        return check_training_file(content, method)

    def steer(self, call: Call, change: Callable[[Script], Script]) -> Answer:
        """Change what will become of a job that is not over."""
        job = self.job(call)
        if job.script.status(self.now()).final:
            said = f"Job has already completed: {job.id}"
            raise self.refusal(400, said, code="invalid_state", param="fine_tune_id")
        job = structs.replace(job, script=change(job.script))
        self.store.put("jobs", job.id, job)
        return Answer(self.show(job))

    def show(self, job: Job) -> dict[str, Any]:
        """The job as it is now, in a word nobody knows if that is the fault of the day."""
        odd = self.faults.standing("unknown-status") and not self.is_done(job)
        return self.body(job, "defragmenting" if odd else self.word(job))

    def body(self, job: Job, word: str) -> dict[str, Any]:
        """The job as the vendor shows it, with `word` as its status."""
        return job_body(job, self.now(), word)

    def word(self, job: Job) -> str:
        """The vendor's word for where the job stands."""
        return WORDS[job.script.status(self.now())]

    def model_body(self, name: str) -> dict[str, Any]:
        """A `Model` object."""
        base = name.split(":")[1] if name.startswith("ft:") else name
        return {
            "id": name,
            "object": "model",
            "created": 1_744_000_000,
            "owned_by": "mock" if name.startswith("ft:") else "system",
            "shutdown_date": self.bases.get(base),
        }

    def name_model(self, request: dict[str, Any], name: str) -> str:
        """The id of the model that a job will make; `name` is what tells the job from others."""
        return f"ft:{request['model']}:mock:{request.get('suffix') or ''}:{name[:8]}"

    def resolved(self, request: dict[str, Any], examples: int) -> dict[str, Any]:
        """The `method` with "auto" made numbers (epochs: OpenAI's cookbook, Chat_finetuning_data_prep)."""
        method = request.get("method") or {"type": "supervised"}
        kind = method["type"]
        asked = method.get(kind) or {}
        epochs = 3 if 100 <= examples * 3 <= 25_000 else max(1, min(25, 100 // max(examples, 1)))
        chosen: dict[str, Any] = {"n_epochs": epochs, "batch_size": max(1, examples // 500)}
        chosen |= {"learning_rate_multiplier": 1.8, **_CHOSEN.get(kind, {})}
        given = {name: value for name, value in (asked.get("hyperparameters") or {}).items() if value != "auto"}
        return {"type": kind, kind: {**asked, "hyperparameters": {**chosen, **given}}}

    def make_job(self, request: dict[str, Any], content: bytes) -> Job:
        """The job that a create request makes, with its whole life."""
        method = self.resolved(request, content.count(b"\n"))
        problem: dict[str, Any] | None = None
        try:
            for _row in self.read_rows(content, method["type"]):
                pass  # to have read it is to have checked it
        except FileProblem as found:
            problem = found.body
        settings = method[method["type"]]["hyperparameters"]
        examples = max(1, content.count(b"\n"))
        steps = max(1, examples * settings["n_epochs"] // settings["batch_size"])
        phases = self.phases[:1] if problem else self.phases
        end = Status.FAILED if problem else self.ending()
        if end is Status.FAILED and not problem:
            problem = {"code": "server_error", "message": "The job failed due to an internal error.", "param": None}
        name = secrets.token_hex(12)
        started = self.now()
        return Job(
            id=f"ftjob-{name}",
            created_at=started,
            model=self.name_model(request, name),
            request=request,
            script=write_script(
                self.stalled(phases),
                started=started,
                speed=self.speed,
                steps=min(steps, 200),
                epochs=settings["n_epochs"],
                seed=request.get("seed") or 42,
                end=end,
            ),
            method=method,
            trained_tokens=len(content) // 4 * settings["n_epochs"],
            problem=problem,
        )
