"""OpenAI, mocked: files, jobs, events, checkpoints, models and chat as its OpenAPI document has them (2026-08).

Where the document is silent the mock follows what users have seen: the order of events (newest
first), their wording, and the errors of `mock_files`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar

from msgspec import Struct

from ftbridge.mock import Answer, Call, MockVendor, Script, operation
from ftbridge.model import Status

WORDS = {
    Status.VALIDATING: "validating_files",
    Status.QUEUED: "queued",
    Status.RUNNING: "running",
    Status.PAUSED: "paused",
    Status.SUCCEEDED: "succeeded",
    Status.FAILED: "failed",
    Status.CANCELLED: "cancelled",
}
BASES = {
    "gpt-4.1-2025-04-14": "2027-01-14",
    "gpt-4.1-mini-2025-04-14": "2027-01-14",
    "gpt-4o-2024-08-06": "2027-01-14",
    "gpt-4o-mini-2024-07-18": "2027-01-14",
}
"""Models open for tuning, and when they are shut down (OpenAI's deprecations page, notice of 2026-10-14)."""

Item = TypeVar("Item")


class File(Struct, frozen=True):
    """An uploaded file; its content is kept beside it."""

    id: str
    filename: str
    purpose: str
    bytes: int
    created_at: float


class Job(Struct, frozen=True):
    """A job: what was asked, and what will become of it."""

    id: str
    created_at: float
    request: dict[str, Any]
    script: Script
    hyperparameters: dict[str, Any]
    trained_tokens: int
    problem: dict[str, Any] | None = None


class OpenAIMock(MockVendor):
    """One organisation at OpenAI."""

    name: ClassVar[str] = "openai"
    base_path: ClassVar[str] = "/v1"
    key_env: ClassVar[str] = "OPENAI_API_KEY"
    url_env: ClassVar[str] = "OPENAI_BASE_URL"
    phases: ClassVar[Sequence[tuple[Status, float]]] = (
        (Status.VALIDATING, 20.0),
        (Status.QUEUED, 20.0),
        (Status.RUNNING, 140.0),
    )

    @operation("POST", "/v1/files")
    def upload_file(self, call: Call) -> Answer:
        """Keep a file."""
        if call.form.get("purpose") not in ("fine-tune", "batch", "assistants", "vision", "user_data", "evals"):
            raise self.refusal(400, "Invalid value for 'purpose'.", param="purpose")
        if call.form["purpose"] == "fine-tune" and not call.file_name.endswith(".jsonl"):
            raise self.refusal(400, f"Invalid file format for Fine-Tuning API. Must be .jsonl, got {call.file_name}")
        file = self.keep(call.file_name, call.form["purpose"], call.content)
        return Answer(self.file_body(file))

    @operation("GET", "/v1/files")
    def list_files(self, call: Call) -> Answer:
        """One page of files, newest first."""
        files = [file for file in self.store.all("files", File) if call.query.get("purpose") in (None, file.purpose)]
        files.sort(key=lambda file: file.created_at, reverse=True)
        page, more = _page([self.file_body(file) for file in files], call, 10_000)
        edges = {"first_id": page[0]["id"] if page else "", "last_id": page[-1]["id"] if page else ""}
        return Answer({"object": "list", "data": page, **edges, "has_more": more})

    @operation("GET", "/v1/files/{file_id}")
    def get_file(self, call: Call) -> Answer:
        """One file's description."""
        return Answer(self.file_body(self.file(call.params["file_id"])))

    @operation("GET", "/v1/files/{file_id}/content")
    def get_file_content(self, call: Call) -> Answer:
        """One file's bytes."""
        return Answer(content=self.content(self.file(call.params["file_id"]).id))

    @operation("DELETE", "/v1/files/{file_id}")
    def delete_file(self, call: Call) -> Answer:
        """Forget a file."""
        file = self.file(call.params["file_id"])
        self.store.drop("files", file.id)
        return Answer({"id": file.id, "object": "file", "deleted": True})

    @operation("POST", "/v1/fine_tuning/jobs")
    def create_job(self, call: Call) -> Answer:
        """Make a job; what is wrong with the data shows later, as the job's failure."""
        request = call.body
        if request.get("model") not in BASES and not str(request.get("model")).startswith("ft:"):
            raise self.refusal(
                400,
                f"Model {request.get('model')} is not available for fine-tuning or does not exist.",
                code="model_not_available",
                param="model",
            )
        content = self.content(self.file(request.get("training_file", ""), param="training_file").id)
        if request.get("validation_file"):
            self.file(request["validation_file"], param="validation_file")
        job = self.make_job(request, content)
        self.store.put("jobs", job.id, job)
        return Answer(self.job_body(job))

    @operation("GET", "/v1/fine_tuning/jobs")
    def list_jobs(self, call: Call) -> Answer:
        """One page of jobs, newest first, filtered by metadata."""
        lag = self.faults.standing("lag")
        visible = self.now() - lag.value if lag else self.now()
        wanted = {name[9:-1]: value for name, value in call.query.items() if name.startswith("metadata[")}
        jobs = [job for job in self.store.all("jobs", Job) if job.created_at <= visible]
        jobs = [job for job in jobs if wanted.items() <= (job.request.get("metadata") or {}).items()]
        jobs.sort(key=lambda job: job.created_at, reverse=True)
        page, more = _page([self.job_body(job) for job in jobs], call, 20)
        return Answer({"object": "list", "data": page, "has_more": more})

    @operation("GET", "/v1/fine_tuning/jobs/{job_id}")
    def get_job(self, call: Call) -> Answer:
        """One job."""
        return Answer(self.job_body(self.job(call)))

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
        page, more = _page(self.event_bodies(self.job(call))[::-1], call, 20)
        return Answer({"object": "list", "data": page, "has_more": more})

    @operation("GET", "/v1/fine_tuning/jobs/{job_id}/checkpoints")
    def job_checkpoints(self, call: Call) -> Answer:
        """The last three checkpoints, newest first."""
        job = self.job(call)
        found = [moment for moment in job.script.until(self.now()) if moment.checkpoint][-3:]
        page, more = _page([self.checkpoint_body(job, moment) for moment in reversed(found)], call, 10)
        edges = {"first_id": page[0]["id"] if page else None, "last_id": page[-1]["id"] if page else None}
        return Answer({"object": "list", "data": page, **edges, "has_more": more})
